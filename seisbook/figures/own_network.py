"""The figure of chapter 7: what a new network's model can start from."""

import matplotlib.pyplot as plt
import numpy as np

from seisbook.figures.intervals import whisker
from seisbook.figures.style import styled
from seisbook.measures import evaluation


@styled
def arms(errors_by_arm):
    """Median epicentral error of each arm with its interval, and each test event's error as a dot.

    Parameters
    ----------
    errors_by_arm : dict of str to DataFrame
        Errors of the test events by arm, of `seisbook.studies.own_network.compare`.

    Returns
    -------
    Figure
    """
    fig, axis = plt.subplots(figsize=(7.4, 0.8 + 0.45 * len(errors_by_arm)))
    rng = np.random.default_rng(0)  # of the dots' heights
    for y, errors in enumerate(errors_by_arm.values()):
        summary = evaluation.summarise_errors(errors)["epicentral_km"]
        heights = y + rng.uniform(-0.25, 0.25, len(errors))
        axis.plot(errors.epicentral_km, heights, ".", color="#bbbbbb", markersize=3)
        estimate = summary["median"], *summary["ci"]
        whisker(axis, estimate, y, "#0072b2", width=2.5, capstyle="butt")
    axis.set_yticks(range(len(errors_by_arm)), list(errors_by_arm))
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.set_xlabel("epicentral error (km)")
    return fig
