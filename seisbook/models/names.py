"""Names of the models, which are known without loading PyTorch."""

OURS = ("dynamic", "static", "feature", "none", "last")
PEERS = ("seismicgnn", "attention", "transformer", "gcn", "dgcnn")
NAMES = (*OURS, *PEERS)
ROBUST = "robust"  # a family of its own, see `seisbook.models.robust`
