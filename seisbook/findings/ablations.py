"""What the ablation study says: the errors of each arm."""

import pandas as pd

from seisbook.findings.quotations import quoting

RECIPES = {"whole": "whole recipe", "study": "study recipe"}
"""The arm of each recipe that the others change."""


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


@quoting
def quoted(tables):
    """What the prose quotes: median epicentral errors, each over that of the whole recipe.

    Names are such as `ablations-colombia-no-station-dropout`.

    Parameters
    ----------
    tables : dict of str to DataFrame
        By network, of `tabulate`.
    """
    for network, table in tables.items():
        errors = table["epicentre (km)"]
        whole, study = (errors[recipe][RECIPES[recipe]] for recipe in ("whole", "study"))
        for arm, error in errors["whole"].items():
            yield ("ablations", network, arm.replace("'", "")), error / whole
        yield ("ablations", network, "study-over-whole"), study / whole
