"""The expert line: the error that the analysts' own catalogue carries."""

import logging
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seisbook.catalogues.geodesy import distance_azimuth
from seisbook.errors import UserError
from seisbook.measures.estimates import Estimate, bootstrap_ci

logger = logging.getLogger(__name__)
SECOND_LOCATION = ["palm_latitude_deg", "palm_longitude_deg", "palm_depth_km", "palm_magnitude"]


@dataclass(frozen=True)
class ExpertLine:
    """The error that the experts' own catalogue carries: what `near-expert` is measured against.

    Parameters
    ----------
    meaning : str
        What the numbers are, in words.
    epicentre_km, depth_km : Estimate
        Medians.
    magnitude_bias, magnitude_sd : Estimate or None
        Mean difference and standard deviation between two catalogues (the median of magnitudes rounded to 0.1 would not
        move); None where the network has one catalogue only.
    events : int
        Number of events that the line is made of.
    """

    meaning: str
    epicentre_km: Estimate
    depth_km: Estimate
    magnitude_bias: Estimate | None
    magnitude_sd: Estimate | None
    events: int


def expert_line(catalogue, random_state=0):
    """How far an expert is from the truth, as far as the catalogue can tell.

    Where a second group located the same events (Ridgecrest: PALM beside the Southern California network), it is the
    difference between the two; elsewhere (Colombia) the formal errors that the analysts' locator states, which leave
    out what its velocity model gets wrong.

    Parameters
    ----------
    catalogue : Catalogue
    random_state : int
        Seed of the bootstrap.

    Returns
    -------
    ExpertLine

    Raises
    ------
    UserError
        If the catalogue has neither, as a simulated one whose labels are exact.
    """
    errors = expert_errors(catalogue)
    second = "magnitude" in errors
    return ExpertLine(
        meaning="difference between two catalogues" if second else "formal error of the location",
        epicentre_km=bootstrap_ci(errors.epicentre_km, random_state=random_state),
        depth_km=bootstrap_ci(errors.depth_km, random_state=random_state),
        magnitude_bias=bootstrap_ci(errors.magnitude, np.mean, random_state=random_state) if second else None,
        magnitude_sd=bootstrap_ci(errors.magnitude, _sd, random_state=random_state) if second else None,
        events=len(errors),
    )


def _sd(values):
    return np.std(values, ddof=1)


def expert_errors(catalogue):
    """The errors behind `expert_line`, event by event.

    Returns
    -------
    DataFrame
        Indexed by `source_id`: `epicentre_km`, `depth_km` and, where two catalogues are compared, `magnitude` (the
        second minus the label). Formal errors that are not positive (a coordinate held fixed) are left out.

    Raises
    ------
    UserError
        If the catalogue has neither a second location nor formal errors.
    """
    events = catalogue.events
    if set(SECOND_LOCATION) <= set(events.columns):
        errors = _second_location(events).dropna(subset="epicentre_km")
    else:
        errors = _formal_errors(events)
    if errors.empty:
        raise UserError(
            f"network {catalogue.network}, source '{catalogue.source}': no formal errors and no second location, hence "
            "no expert line; take it from the bulletin (source='bulletin')"
        )
    logger.info("expert errors of %s: %d of %d events have them", catalogue.network, len(errors), len(events))
    return errors


def _second_location(events):
    distance, _ = distance_azimuth(
        events.source_latitude_deg, events.source_longitude_deg, events.palm_latitude_deg, events.palm_longitude_deg
    )
    return pd.DataFrame(
        {
            "epicentre_km": distance,
            "depth_km": (events.palm_depth_km - events.source_depth_km).abs(),
            "magnitude": events.palm_magnitude - events.source_magnitude,
        },
        index=events.index,
    )


def _formal_errors(events):
    names = [f"source_{axis}_uncertainty_km" for axis in ("latitude", "longitude", "depth")]
    north, east, depth = (events[name] for name in names)
    errors = pd.DataFrame({"epicentre_km": np.hypot(north, east), "depth_km": depth})
    return errors[(events[names] > 0).all(axis=1)]
