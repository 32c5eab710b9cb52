"""How results become text: names and digits of what the prose quotes, and cells of the tables that pages print."""

import re
from functools import cache, wraps

import pandas as pd

from seisbook.measures.estimates import Estimate
from seisbook.paths import DATA

HYPHEN = re.compile(r"(?<![\w.,-])-(?=[\d.])")
"""A hyphen that stands for a minus: a number follows, and no letter, digit or other hyphen is before it."""
KINDS = ("bulletin", "simulated", "waveform", "measured")


def text(value, spec=".2f") -> str:
    """A result as text.

    Parameters
    ----------
    value : number, str, Estimate, list, dict or None
        A list of three, or a dict with `value`, `low` and `high`, as records have them, is an estimate with its
        interval; None, which there is where something could not be measured, is an empty text.
    spec : str
        Format of a number.
    """
    if value is None:
        return ""
    if isinstance(value, dict):
        value = [value[key] for key in Estimate._fields]
    return format(Estimate(*value) if isinstance(value, (list, tuple)) else value, spec)


def name(*parts) -> str:
    """Name by which the prose quotes something: its parts, but for empty ones, joined by hyphens."""
    return "-".join(str(part) for part in parts if part not in (None, "")).replace(" ", "-")


def quoting(lines):
    """Decorate a generator of results, so that it returns a dict of their texts by name.

    Parameters
    ----------
    lines : callable
        Yields `(parts, value)` or `(parts, value, spec)`, see `name` and `text`.
    """

    @wraps(lines)
    def quoted(*args, **kwargs) -> dict[str, str]:
        return {name(*parts): text(*result) for parts, *result in lines(*args, **kwargs)}

    return quoted


def printed(rows) -> pd.DataFrame:
    """Table as a page prints it.

    Parameters
    ----------
    rows : dict of dict
        By row and by column, the cell: `(value,)` or `(value, spec)`, see `text`, or what is to stand there as it is.
    """
    cells = {row: {column: _cell(cell) for column, cell in columns.items()} for row, columns in rows.items()}
    return pd.DataFrame.from_dict(cells, orient="index")


def _cell(cell):
    return text(*cell) if type(cell) is tuple else cell  # an Estimate is a tuple too


WORDS = {
    "error_ratio": "ratio of errors",
    "low": "from",
    "high": "to",
    "mad_multiscale": "distance of states, all blocks",
    "mad_last": "distance of states, last block",
    "rank_correlation": "rank correlation",
    "squared_error": "squared error",
    "squared_bias": "squared bias",
    "residual": "both together",
    "band_pass": "octave band",
    "joint_shift": "shift of all stations",
    "independent_shift": "clock errors",
    "nearest_dropout": "nearest stations missing",
    "deep_nest": "deep nest",
    "quarry_blast": "quarry blast",
    "p_residual_s": "P residual (s)",
    "s_residual_s": "S residual (s)",
    "site_term": "amplitude residual (log10)",
    "station_code": "station",
}
"""Names of the code, and the words that a reader sees in their place."""


def worded(table, **others) -> pd.DataFrame:
    """A table whose headings, labels and cells are words, where they were names of the code; a minus is no hyphen.

    Parameters
    ----------
    table : DataFrame
    **others : str
        Words for this table alone, by the name that they replace.
    """
    words = {**WORDS, **_places(), **others}
    named = table.replace(words).map(signed).rename(index=words, columns=words).rename(index=signed)
    named.index = named.index.set_names([words.get(name, name) for name in named.index.names])
    return named.rename_axis(columns=[words.get(name, name) for name in named.columns.names])


def place(name) -> str:
    """Name of a network or region for readers: `Ridgecrest August` of `ridgecrest_august`."""
    return name.replace("_", " ").title()


@cache
def _places():
    """Names of networks, of regions and of their data sets, for readers."""
    files = [path for folder in ("networks", "regions") for path in (DATA / folder).glob("*.yaml")]
    names = {path.stem: place(path.stem) for path in files}
    datasets = {f"{name}-{kind}": f"{title}, {kind}" for name, title in names.items() for kind in KINDS}
    return names | datasets


def signed(value):
    """A text with a minus where a hyphen stood for one; anything else as it is."""
    return HYPHEN.sub("−", value) if isinstance(value, str) else value
