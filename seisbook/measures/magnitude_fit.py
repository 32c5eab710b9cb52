r"""The magnitude relation of a bulletin, calibrated on its own amplitudes and magnitudes.

.. math:: M_L = \log_{10} A_\mathrm{nm} + b \log_{10} R_\mathrm{km} + c R_\mathrm{km} + d
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from seisbook.catalogues.schema import MagnitudeRelation
from seisbook.measures.estimates import robust_std
from seisbook.physics.residuals import amplitude_residuals

HUTTON_BOORE = MagnitudeRelation(1.11, 0.00189, -2.09, 0.3, "Hutton and Boore (1987) in IASPEI's form")
FEWEST_FOR_LEVEL, FEWEST_FOR_SHAPE = 10, 200  # amplitudes, for `d` alone and for all of b, c and d
WIDEST_RATIO = 3.0  # of the distances' 95th to their 5th percentile, for b and c: nearer ones do not tell them
BOUNDS = (0.5, 0.0, -15.0), (3.0, 0.02, 15.0)  # of b, c and d
LOUD = 0.3  # log10 units: residuals beyond it lose weight


@dataclass(frozen=True)
class MagnitudeFit:
    """A relation, the number of amplitudes behind it, and which of its numbers they gave: `b, c, d`, `d`, or none."""

    relation: MagnitudeRelation
    amplitudes: int
    fitted: str


def fit_magnitude(catalogue, network) -> MagnitudeFit:
    """Calibrate the magnitude relation by the amplitudes of events with a magnitude.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
        Its stations; its magnitude relation is not looked at.

    Returns
    -------
    MagnitudeFit
        With few amplitudes, or at distances that are too much alike, `b` and `c` are Hutton's and Boore's; without any,
        `d` is theirs, too. Station terms are the residuals' medians, so that they do not turn the relation.
    """
    table = amplitude_residuals(catalogue, network)
    log_amplitude = np.log10(catalogue.readings.trace_amplitude_nm.where(table.amplitude_residual.notna()))
    magnitude = catalogue.readings.source_id.map(catalogue.events.source_magnitude)
    known = (log_amplitude.notna() & magnitude.notna() & table.path_hyp_distance_km.notna()).to_numpy()
    r = table.path_hyp_distance_km[known].to_numpy().clip(1.0)
    wanted, codes = (magnitude - log_amplitude)[known].to_numpy(), catalogue.readings.station_code[known]
    if known.sum() < FEWEST_FOR_LEVEL:
        return MagnitudeFit(HUTTON_BOORE, int(known.sum()), "")
    near, far = np.quantile(r, [0.05, 0.95])
    if known.sum() < FEWEST_FOR_SHAPE or far < WIDEST_RATIO * near:
        b, c, fitted = HUTTON_BOORE.b, HUTTON_BOORE.c, "d"
    else:
        (b, c), fitted = _shape(r, wanted, codes), "b, c, d"
    d = float(np.median(wanted - b * np.log10(r) - c * r))
    left = wanted - b * np.log10(r) - c * r - d
    scatter = float(np.clip(robust_std(left), 0.02, 2.9))
    source = f"{fitted} fitted to {known.sum()} amplitudes of the bulletin"
    source += "" if fitted == "b, c, d" else "; b and c of Hutton and Boore (1987)"
    relation = MagnitudeRelation(round(b, 3), round(c, 5), round(d, 3), round(scatter, 2), source)
    return MagnitudeFit(relation, int(known.sum()), fitted)


def _shape(r, wanted, codes):
    """The numbers b and c, with the stations' terms taken off twice."""
    design, term = np.column_stack([np.log10(r), r, np.ones(len(r))]), 0.0
    for _ in range(3):
        target = wanted - term
        values = least_squares(
            lambda values, target=target: (design @ values - target) / LOUD,
            (1.1, 0.002, -2.0),
            bounds=BOUNDS,
            loss="soft_l1",
            x_scale=(1, 0.01, 1),
        ).x
        left = pd.Series(wanted - design @ values, index=codes.index)
        term = left.groupby(codes).transform("median").to_numpy()
    return float(values[0]), float(values[1])
