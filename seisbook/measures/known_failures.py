"""Groups of tested events in which a model's locations are poor, for the card of the model.

The groups are those in which every locator has difficulties: few stations, a wide gap, the deepest and the weakest
events. A group is a *known failure* if it has at least `FEWEST` events and its median epicentral error is more than
`TIMES` that of all tested events.
"""

import numpy as np
import pandas as pd

from seisbook.catalogues.geodesy import azimuthal_gap
from seisbook.measures.location import FEW_STATIONS, WIDE_GAP_DEG

FEWEST = 5
TIMES = 2.0
OUTER = 0.2  # share of events that are called the deepest, and the weakest


def geometry(events) -> pd.DataFrame:
    """What the groups are made by, indexed by `source_id`: `stations`, `gap_deg` about the label, `depth`, `magnitude`.

    Parameters
    ----------
    events : seisbook.datasets.events.Events
    """
    y, pos, start = events.y.numpy(), events.pos.numpy(), np.asarray(events.start)
    offset = [pos[a:b, :2] - place for a, b, place in zip(start[:-1], start[1:], y[:, :2], strict=True)]
    columns = {
        "stations": np.diff(start),
        "gap_deg": [azimuthal_gap(np.degrees(np.arctan2(*one.T))) for one in offset],
        "depth": y[:, 2],
        "magnitude": y[:, 3],
    }
    return pd.DataFrame(columns, pd.Index(events.source_id, name="source_id"))


def groups(errors, of_events) -> list[dict]:
    """Errors of the groups.

    Parameters
    ----------
    errors : DataFrame
        Table of `seisbook.measures.evaluation.errors`.
    of_events : DataFrame
        Table of `geometry`, with all events of `errors`.

    Returns
    -------
    list of dict
        For each group `group`, its name; `events`, their number; `median_km`, the median epicentral error; and
        `fails`, whether it is a known failure. A group without events is left out.
    """
    error = errors.epicentral_km
    limit = TIMES * error.median()
    found = []
    for name, member in _members(of_events.loc[errors.index]).items():
        if n := int(member.sum()):
            middle = float(error[member].median())
            fails = n >= FEWEST and middle > limit
            found.append({"group": name, "events": n, "median_km": round(middle, 3), "fails": bool(fails)})
    return found


def describe(found) -> str:
    """The known failures in one line."""
    failed = [f"{one['group']} ({one['median_km']:.1f} km, {one['events']} events)" for one in found if one["fails"]]
    return f"known failures: {', '.join(failed) or f'none in groups of {FEWEST} events or more'}"


def _members(of_events):
    """Which events belong to each group."""
    depth, magnitude = of_events.depth, of_events.magnitude
    return {
        f"fewer than {FEW_STATIONS} stations": of_events.stations < FEW_STATIONS,
        f"azimuthal gap above {WIDE_GAP_DEG:g} degrees": of_events.gap_deg > WIDE_GAP_DEG,
        f"deepest {100 * OUTER:g} %": depth > depth.quantile(1 - OUTER),
        f"weakest {100 * OUTER:g} %": magnitude < magnitude.quantile(OUTER),
    }
