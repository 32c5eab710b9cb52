"""Corpora, arms and constants of the studies that findings read too; this module does not load PyTorch."""

CORPORA = (
    ("colombia", "bulletin"),
    ("colombia", "simulated"),
    ("ridgecrest", "bulletin"),
    ("ridgecrest", "simulated"),
)
"""Network and source of each corpus of `seisbook.studies.alignment`."""
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
"""The standard trial of `seisbook.studies.alignment`; each other trial changes some of its values."""
FEWEST_OF_CLASS = 20  # smallest number of events with which a class is classified
NULLS = {"nearest": ("epicentral_km", -1), "signal-to-noise": ("snr", 1), "earliest": ("p_order", -1)}
"""Orders of stations with which attention is compared: the column, and 1 if its largest value comes first, else -1."""
TOP = 3  # stations of a design: the smallest number that determines a hypocentre with P and S
