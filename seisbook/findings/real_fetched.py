"""The published model on a bulletin's events: rendered, from records, and recorded, if a reader has fetched them."""

import pandas as pd

from seisbook.findings import real
from seisbook.findings.quotations import printed


def compare(made, seen=None) -> pd.DataFrame:
    """Errors of the published robust model on test events of its fold, by kind of seismograms.

    Parameters
    ----------
    made : DataFrame
        Errors on rendered seismograms by `source_id`: `epicentral_km`, `depth_km`, `magnitude`.
    seen : DataFrame, optional
        The same of recorded seismograms; then rendered ones of the same events stand beside them.

    Returns
    -------
    DataFrame
        `kind`, number of `events`, `epicentre_km` (median), `depth_km` (median of the absolute error) and
        `magnitude_rmse`, all `Estimate`; `ratio` of the recorded events' median epicentral error to that of the same
        events rendered, or None.
    """
    if seen is None:
        return pd.DataFrame([_row("rendered from the readings", made)])
    made = made.loc[seen.index]
    columns = (seen.epicentral_km.to_numpy()[:, None], made.epicentral_km.to_numpy()[:, None])
    rows = [_row("real, as recorded", seen, real._ratio(*columns)), _row("the same events, rendered", made)]
    return pd.DataFrame(rows)


def _row(kind, errors, ratio=None):
    return {
        **{"kind": kind, "events": len(errors), "epicentre_km": real.pooled(errors[["epicentral_km"]])},
        "depth_km": real.pooled(errors[["depth_km"]].abs()),
        "magnitude_rmse": real.pooled(errors[["magnitude"]], real._rmse),
        "ratio": ratio,
    }


def table(rows) -> pd.DataFrame:
    """The table of `compare` as a page prints it."""
    return printed(
        {
            row.kind: {
                "events": row.events,
                "epicentre (km)": (row.epicentre_km,),
                "depth (km)": (row.depth_km,),
                "magnitude RMSE": (row.magnitude_rmse,),
                "real over rendered": (row.ratio,),
            }
            for row in rows.itertuples()
        }
    )
