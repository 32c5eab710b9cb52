"""SeisBook: the support library of an executable book on graph embeddings for seismic source parameters."""

__version__ = "0.1.0"
