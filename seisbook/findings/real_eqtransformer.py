"""What EQTransformer makes of the real Icelandic records; the rule is that of `seisbook.studies.real_eqtransformer`."""

import numpy as np
import pandas as pd

from seisbook.findings import real
from seisbook.findings.peers_robust_stem import ahead
from seisbook.findings.quotations import printed, quoting
from seisbook.findings.robust import median, ratio
from seisbook.studies import runner

NAME = "real-eqtransformer"
DECIDING = 0.1  # least probability of a pick


def load(profile="paper") -> list[dict]:
    """Records of the study, see `seisbook.studies.runner.read`."""
    return runner.read(NAME, real.NETWORK, real.SOURCE, profile)


def compare(records, others) -> pd.DataFrame:
    """Methods on the same events and records, and the robust model over each.

    Parameters
    ----------
    records : list of dict
        Of `load`.
    others : list of dict
        Of `seisbook.findings.real.load`.

    Returns
    -------
    DataFrame
        `method`, `deciding`, number of events `located`, median `epicentre_km` over all events (`Estimate`; an event
        without a location has the largest error of all), `depth_bias_km` of the located events, shares of `p_picks` and
        `s_picks` within half a second of the source's, and `ours_over` (`Estimate`; None for the robust model itself).
    """
    (ours,) = real.of(others, "located", arm=real.PUBLISHED, unit="displacement", axis="none")
    found = {("robust model", False): ours["result"]}
    for record in records:
        least = record["trial"]["least_probability"]
        found[f"classical, EQTransformer's picks from {least:g}", least == DECIDING] = record["result"]
    for arm, title in real.CLASSICAL.items():
        (record,) = real.of(others, "classical", arm=arm)
        found[title, False] = record["result"]
    errors = {key: _array(result["epicentral_km"]) for key, result in found.items()}
    worst = max(np.nanmax(values) for values in errors.values())
    whole = {key: np.nan_to_num(values, nan=worst) for key, values in errors.items()}
    first = next(iter(whole.values()))
    return pd.DataFrame(
        {
            **{"method": method, "deciding": deciding, "located": int(np.isfinite(errors[method, deciding]).sum())},
            "epicentre_km": median(whole[method, deciding]),
            "depth_bias_km": float(np.nanmedian(_array(result["depth_km"]))),
            **{f"{wave}_picks": _near(result.get(f"{wave}_off_s")) for wave in "ps"},
            "ours_over": None if method == "robust model" else ratio(first, whole[method, deciding]),
        }
        for (method, deciding), result in found.items()
    )


def _array(values):
    return np.array([np.nan if value is None else value for value in values], float)


def _near(off_s):
    """Share of the source's picks that were found within half a second; None for a method without picks of its own."""
    return None if off_s is None else float((np.abs(_array(off_s)) <= real.NEAR_S).mean())


def verdict(compared) -> str:
    """Verdict of the rule."""
    return ahead(compared.ours_over[compared.deciding].iloc[0])


def table(compared) -> pd.DataFrame:
    """The table of `compare` as a page prints it."""
    rows = {}
    for row in compared.itertuples():
        rows[row.method] = {
            "located events": row.located,
            "epicentre (km)": (row.epicentre_km,),
            "depth, median error (km)": f"{row.depth_bias_km:+.1f}",
            "P / S within 0.5 s": "" if pd.isna(row.p_picks) else f"{row.p_picks:.0%} / {row.s_picks:.0%}",
            "robust model over it": (row.ours_over,) if row.ours_over else "",
        }
    return printed(rows)


@quoting
def quoted(compared):
    """What the prose quotes: `eqt-ratio`, `eqt-verdict`, `eqt-located`.

    Parameters
    ----------
    compared : DataFrame
        Of `compare`.
    """
    row = compared[compared.deciding].iloc[0]
    yield ("eqt", "verdict"), verdict(compared), ""
    yield ("eqt", "ratio"), row.ours_over
    yield ("eqt", "located"), row.located, "d"
