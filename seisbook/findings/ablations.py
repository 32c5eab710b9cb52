"""What the ablation study says: the errors of each arm."""

import pandas as pd


def tabulate(records) -> pd.DataFrame:
    """Each arm's errors, averaged over the folds; the first row of each group is what the others change.

    Parameters
    ----------
    records : list of dict
        Of `seisbook.studies.runner.load`.
    """
    from seisbook.studies.ablations import MODEL_ARMS  # loads PyTorch, which reading the records does without

    rows = [
        {
            "recipe": "study" if record["trial"]["arm"] in MODEL_ARMS else "whole",
            "arm": record["trial"]["arm"],
            "epicentre (km)": record["result"]["summary"]["epicentral_km"]["median"],
            "depth (km)": record["result"]["summary"]["depth_km"]["median"],
            "magnitude RMSE": record["result"]["summary"]["magnitude"]["rmse"],
            "seconds": record["result"]["train_s"],
        }
        for record in records
    ]
    mean = pd.DataFrame(rows).groupby(["recipe", "arm"], sort=False).mean()
    return mean.round({"epicentre (km)": 2, "depth (km)": 2, "magnitude RMSE": 3, "seconds": 0})
