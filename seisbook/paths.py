"""Where the book's committed data lie, found from the package itself so that no working directory matters."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""Top of the project: the folder that holds ``book/``, ``data/`` and ``seisbook/``."""
DATA = ROOT / "data"
BOOK = ROOT / "book"
BUILD = ROOT / "_build"
LOCALE = ROOT / "locale"
