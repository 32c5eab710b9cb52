"""Breakdown severities as numbers: how far along its axis a perturbation goes before the error has doubled."""

import numpy as np
import pandas as pd

from seisbook.findings.robustness import DOUBLED, NARROW_BANDS, breakdown


def breakdowns(table) -> pd.DataFrame:
    r"""Breakdown severity of each model along each axis, as text and as a share of the axis.

    .. math:: s = \frac{b - 1}{n}

    with :math:`n` the number of severities that were tried, in the order of harm, and :math:`b` the number of the first
    at which the median epicentral error has doubled; :math:`s = 1` if no severity doubles it. Octave bands have no
    order of harm: there, :math:`s` is the share of the bands in which the error has not doubled.

    Parameters
    ----------
    table : DataFrame
        Of `seisbook.findings.robustness.tabulate`.

    Returns
    -------
    DataFrame
        `network`, `axis`, `title` (of the axis, with its unit), `model`, `severity` (text of
        `seisbook.findings.robustness.breakdown`) and `share`, 0 to 1.
    """
    rows = []
    for network, part in table.groupby("network", sort=False):
        texts = breakdown(part)
        titles = dict(zip(part.axis.unique(), texts.index, strict=True))
        for (axis, model), severities in part.groupby(["axis", "model"], sort=False):
            title = titles[axis]
            rows.append(
                {
                    **{"network": network, "axis": axis, "title": title, "model": model},
                    **{"severity": texts.loc[title, model], "share": _share(axis, severities.growth.to_numpy())},
                }
            )
    return pd.DataFrame(rows)


def _share(axis, growth):
    """Share of the severities that a model stands, of one axis."""
    broken = growth >= DOUBLED
    if axis in NARROW_BANDS:
        return float(1 - broken.mean())
    return float(np.argmax(broken) / len(broken)) if broken.any() else 1.0
