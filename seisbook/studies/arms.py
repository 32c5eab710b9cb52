"""What studies are of, which findings need to know without loading PyTorch."""

CORPORA = (
    ("colombia", "bulletin"),
    ("colombia", "simulated"),
    ("ridgecrest", "bulletin"),
    ("ridgecrest", "simulated"),
)
"""Network and source of the texts that `seisbook.studies.alignment` aligns."""
PLAIN = {
    "part": "alignment",
    "arm": "aligned",
    "masking": "none",
    "split": "random",
    "paired": 1.0,
    "transport": False,
    "withheld": None,
    "seed": 0,
}
"""The trial of `seisbook.studies.alignment` that the others differ from."""
FEWEST_OF_CLASS = 20  # events of a class that is classified
NULLS = {"nearest": ("epicentral_km", -1), "signal-to-noise": ("snr", 1), "earliest": ("p_order", -1)}
"""Orders of stations that attention is held against: the column, and whether larger comes first."""
TOP = 3  # stations of a design: with P and S, the fewest that determine a hypocentre
SMOOTHED = ("colombia",)  # networks of which the smoothing study has been done
