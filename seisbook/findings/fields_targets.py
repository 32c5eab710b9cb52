"""The targets that were set for fields before any model was trained, and how far the records are from them."""

import pandas as pd

from seisbook.findings import fields_inversion
from seisbook.findings.fields import MAIN, PEER, REGIONS, TOLD
from seisbook.findings.fields_trouble import CLEAN, KINDS
from seisbook.findings.fields_trouble_graphs import REGION
from seisbook.measures.estimates import Estimate, below

WORDS = fields_inversion.WORDS
OURS = ("dynamic", "static", "none", "alone")  # not peers
RATIOS = {"all": 0.97, "no source": 0.95}
"""Error of the dynamic graph over that of the conditional normal, by what both are told."""
LYING = 0.8  # the same ratio where one sensor in ten lies
HELD = (0.88, 0.92)  # share of the values that lie in their 90 % interval
INVERSION = {"epicentral_km": ("epicentre, median (km)", ".1f"), "magnitude": ("magnitude, root mean square", ".2f")}


def of_reconstruction(found) -> dict[tuple[str, str], str]:
    """Targets of the reconstruction in one region: by what was aimed at and the target, what was found and its word.

    Parameters
    ----------
    found : DataFrame
        From `seisbook.findings.fields.table`.
    """
    rows = {}
    for told, limit in RATIOS.items():
        row = found.loc[(told, MAIN)]
        rows[f"error over the {PEER}'s, {TOLD[told]}", f"{limit}"] = _ratio((row.ratio, row.low, row.high), limit)
    for told, words in TOLD.items():
        peers = found.xs(told, level="information").drop(list(OURS), errors="ignore")
        row, least = found.loc[(told, MAIN)], peers.crps.min()
        held = "reached" if HELD[0] <= row.covered <= HELD[1] else "missed"
        below_all = "reached" if row.crps < least else "missed"
        rows[f"values in their 90 % interval, {words}", "88 to 92 %"] = f"{row.covered:.1%}, {held}"
        rows[f"CRPS, {words}", "below every peer's"] = f"{row.crps:.4f}, peers' least {least:.4f}, {below_all}"
    return rows


def of_lying(found) -> dict[tuple[str, str], str]:
    """Targets where sensors lie, see `of_reconstruction`.

    Parameters
    ----------
    found : DataFrame
        From `seisbook.findings.fields_trouble_graphs.table`.
    """
    kinds = {kind: words for kind, words in KINDS.items() if kind != CLEAN}
    return {
        (f"error over the {PEER}'s, one in ten {words}", f"{LYING}"): _ratio(found.loc[(MAIN, kind), "ratio"], LYING)
        for kind, words in kinds.items()
    }


def of_inversion(found, region) -> dict[tuple[str, str], str]:
    """Targets of the inversion, see `of_reconstruction`; none in a region without targets.

    Parameters
    ----------
    found : DataFrame
        From `seisbook.findings.fields_inversion.table`.
    region : str
    """
    row, rows = found.loc[MAIN], {}
    for name, limit in fields_inversion.TARGETS.get(region, {}).items():
        title, form = INVERSION[name]
        value = format(Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"]), form)
        rows[title, f"{limit:g}"] = f"{value}, {row[f'{name}_target']}"
    return rows


def table(tables, inverted, lying) -> pd.DataFrame:
    """All targets as text: what was aimed at, and in each region what was found, with its word.

    Parameters
    ----------
    tables, inverted : dict of str to DataFrame
        By the region's name, from the tables of `seisbook.findings.fields` and `seisbook.findings.fields_inversion`.
    lying : DataFrame
        From `seisbook.findings.fields_trouble_graphs.table`.
    """
    columns = {
        REGIONS[region]: of_reconstruction(found) | of_inversion(inverted[region], region)
        for region, found in tables.items()
    }
    columns[REGIONS[REGION]] |= of_lying(lying)
    rows = {row: {region: cells.get(row, "") for region, cells in columns.items()} for row in _in_order(columns)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["what", "target"])


def _in_order(columns):
    """All rows, each once, in the order in which the regions have them."""
    return dict.fromkeys(row for cells in columns.values() for row in cells)


def _ratio(value, limit):
    ratio = Estimate(*value)
    return f"{ratio:.3f}, {WORDS[below(ratio.low, ratio.high, limit)]}"
