"""Models: the graph model, its peers and the classical pipeline, their training and their checkpoints."""
