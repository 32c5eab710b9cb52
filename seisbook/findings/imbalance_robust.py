"""What the imbalance study of the robust model says beside that of the paper's model: the same test events, paired.

Its own errors, its remedy and its verdict come from `seisbook.findings.imbalance`.
"""

import numpy as np
import pandas as pd

from seisbook.errors import DataError
from seisbook.findings import imbalance
from seisbook.findings.quotations import quoting


def against(ours, paper) -> pd.DataFrame:
    """RMSE of magnitudes over that of the paper's model, without a remedy, by share of the large events that is kept.

    Parameters
    ----------
    ours, paper : list of dict
        Of `seisbook.studies.runner.read`, of the studies `imbalance-robust` and `imbalance` of one network.

    Returns
    -------
    DataFrame
        `network`, `kept`, `n_large` (training events), `events` ("largest tenth" or "others"), `ratio` (`Estimate` over
        test events).

    Raises
    ------
    DataError
        If the studies have not tested the same events.
    """
    mine, theirs = imbalance._by_arm(ours), imbalance._by_arm(paper)
    rows = []
    for (network, kept, remedy), results in mine.items():
        if remedy != "none":
            continue
        others, large = theirs[network, kept, remedy], np.array(results[0]["large"])
        if large.tolist() != others[0]["large"]:
            raise DataError("imbalance-robust: not of the events of the study imbalance: run both again")
        pair = np.stack([np.square([one["magnitude"] for one in found]).mean(0) for found in (results, others)])
        for events, chosen in (("largest tenth", large), ("others", ~large)):
            row = {"network": network, "kept": kept, "n_large": results[0]["n_large"], "events": events}
            rows.append({**row, "ratio": imbalance._rmse_ratio(pair[:, chosen])})
    return pd.DataFrame(rows)


def table(ours, paper) -> pd.DataFrame:
    """Largest tenth of one network as a page prints it: RMSE and bias, and the ratio of RMSE to the paper's model."""
    sizes = imbalance.tabulate(ours).query("remedy == 'none' and events == 'largest tenth'").set_index("kept")
    ratio = against(ours, paper).query("events == 'largest tenth'").set_index("kept").ratio
    cells = {
        "network": sizes.network.str.capitalize(),
        "large events in training": sizes.n_large,
        "bias": sizes.bias.map("{:.2f}".format),
        "RMSE": sizes.rmse.map("{:.3f}".format),
        "over the paper's model": ratio.map("{:.2f}".format),
    }
    return pd.DataFrame(cells).set_index(["network", "large events in training"])


@quoting
def quoted(ours, paper):
    """What the prose quotes, from names such as `robust-colombia-rare-0.2-rmse`.

    Parameters
    ----------
    ours, paper : dict of str to list of dict
        By network, as in `against`.
    """
    for name in ours:
        for row in imbalance.tabulate(ours[name]).query("events == 'largest tenth'").itertuples():
            yield ("robust", name, "rare", row.remedy, f"{row.kept:g}", "rmse"), row.rmse, ".3f"
            yield ("robust", name, "rare", row.remedy, f"{row.kept:g}", "bias"), row.bias
        for row in against(ours[name], paper[name]).query("events == 'largest tenth'").itertuples():
            yield ("robust", name, "rare", f"{row.kept:g}", "over-paper"), row.ratio
        for row in imbalance.helps(ours[name]).itertuples():
            yield ("robust", name, "rare", row.remedy, f"{row.kept:g}"), row.found
            yield ("robust", name, "rare", row.remedy, f"{row.kept:g}", "others"), row.others
