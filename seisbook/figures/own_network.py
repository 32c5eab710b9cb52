"""The figure of chapter 7: what a new network's model can start from."""

import matplotlib.pyplot as plt
import numpy as np

from seisbook.figures.style import styled
from seisbook.measures import evaluation
from seisbook.studies.own_network import _estimate


@styled
def arms(found):
    """Median epicentral error of each arm with its interval, and each test event's error as a dot.

    Parameters
    ----------
    found : dict
        Of `compare`.

    Returns
    -------
    Figure
    """
    fig, axis = plt.subplots(figsize=(7.4, 0.8 + 0.45 * len(found)))
    rng = np.random.default_rng(0)  # of the dots' heights
    for y, errors in enumerate(found.values()):
        value = _estimate(evaluation.summarise_errors(errors)["epicentral_km"], "median")
        heights = y + rng.uniform(-0.25, 0.25, len(errors))
        axis.plot(errors.epicentral_km, heights, ".", color="#bbbbbb", markersize=3)
        axis.plot([value.low, value.high], [y, y], color="#0072b2", linewidth=2.5, solid_capstyle="butt")
        axis.plot(value.value, y, "o", color="#0072b2", markersize=6)
    axis.set_yticks(range(len(found)), list(found))
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.set_xlabel("epicentral error (km)")
    return fig
