"""The record of the real Icelandic seismograms: errors of each method on 27 events."""

import numpy as np
import pandas as pd

from seisbook.findings import summaries
from seisbook.findings.quotations import printed, quoting
from seisbook.measures.estimates import bootstrap_ci

NAME = "recorded"


def summarise(located, truth) -> dict:
    """Errors of each method: medians of the epicentral and depth errors, and the magnitude's bias and RMSE.

    Returns
    -------
    dict of str to dict
        By method: `n_located`, `epicentral_km`, `depth_km`, `magnitude_bias`, `magnitude_rmse`, each a value with its
        95 % interval over events; None where the method says nothing.
    """
    rows = {}
    for method, values in located.items():
        error = values - truth
        epicentral, sized = np.hypot(error[:, 0], error[:, 1]), np.isfinite(error[:, 3])
        square = bootstrap_ci(error[sized, 3] ** 2, np.mean) if sized.any() else None
        rows[method] = {
            "n_located": int(np.isfinite(epicentral).sum()),
            "epicentral_km": list(bootstrap_ci(epicentral[np.isfinite(epicentral)])),
            "depth_km": list(bootstrap_ci(np.abs(error[np.isfinite(error[:, 2]), 2]))),
            "magnitude_bias": list(bootstrap_ci(error[sized, 3], np.mean)) if sized.any() else None,
            "magnitude_rmse": np.sqrt(square).tolist() if square else None,
        }
    return rows


def compute(progress=True) -> dict:
    """Errors of each method on the real seismograms."""
    from seisbook.studies.iceland import estimates, labels  # loads PyTorch, which reading the record does without

    return {"methods": summarise(estimates(progress), labels())}


def load() -> dict:
    """Read the record, see `seisbook.provenance.load`."""
    return summaries.load(NAME)


def table(methods) -> pd.DataFrame:
    """The methods' errors, as the chapter prints them."""
    return printed(
        {
            name: {
                "events": errors["n_located"],
                "epicentre (km)": (errors["epicentral_km"], ".1f"),
                "depth (km)": (errors["depth_km"], ".1f"),
                "magnitude bias": (errors["magnitude_bias"],),
                "magnitude RMSE": (errors["magnitude_rmse"],),
            }
            for name, errors in methods.items()
        }
    )


@quoting
def quoted(methods):
    """What the prose quotes, from a name such as `iceland-robust-model-displacement-km`.

    Parameters
    ----------
    methods : dict of str to dict
        Of `summarise`, or of the record.
    """
    for name, errors in methods.items():
        yield ("iceland", name.replace(",", ""), "km"), errors["epicentral_km"], ".1f"
        yield ("iceland", name.replace(",", ""), "depth"), errors["depth_km"], ".1f"
        yield ("iceland", name.replace(",", ""), "magnitude"), errors["magnitude_rmse"], ".1f"
