"""The record of the model chapter: all models side by side, from the records of their runs.

What needs the real bulletins (where an event was, how many stations read it) is summed up here, once, into tables
without a single event's row, so that a reader without the bulletins sees the same figures.
"""

import numpy as np
import pandas as pd

from seisbook.catalogues.networks import NETWORKS
from seisbook.findings import results, summaries
from seisbook.findings.quotations import printed, quoting, text
from seisbook.measures import calibration, splits, t_test
from seisbook.measures.estimates import Estimate
from seisbook.models.names import PEERS
from seisbook.studies.places import model_path

NAME = "models"
CLOSE_UP = ("dynamic", "classical")  # models whose errors are shown by strata and on maps
QUANTILES = np.linspace(0, 1, 101)
TITLES = {
    "dynamic": "dynamic (ours)",
    "static": "static graph",
    "feature": "feature-space graph",
    "none": "no edges",
    "last": "last block only",
    "seismicgnn": "SeismicGNN",
    "attention": "attention",
    "transformer": "transformer",
    "gcn": "GCN",
    "dgcnn": "DGCNN",
    "classical": "classical",
}


def compute(progress=True) -> dict:
    """All models side by side, from the runs' records and the real bulletins.

    Raises
    ------
    UserError
        If no network has a complete current set of folds of `dynamic`, or the bulletins cannot be had.
    """
    runs = results.current_runs("paper")
    return {
        "entries": results.entries(runs.values()),
        "tests": paired_tests(runs.values()),
        "networks": {name: _network(name, runs.values(), progress) for name in NETWORKS},
    }


def load() -> dict:
    """Read the record, see `seisbook.provenance.load`."""
    return summaries.load(NAME)


def paired_tests(runs) -> list[dict]:
    """`dynamic` against each other model: corrected resampled t-tests of the fold scores on the same events.

    Returns
    -------
    list of dict
        `network`, `split`, `model`, `quantity` (`epicentral_km`, median; `magnitude`, RMSE; `depth_km`, median of the
        absolute error) and, of the difference `dynamic` minus the other, `mean`, `low`, `high`, `p`.
    """
    scores = {}
    for run in runs:
        if run["split"] != "twin":
            scores.setdefault((run["network"], run["split"], run["model"]), {})[run["fold"]] = _scores(run)
    tests = []
    for (network, split, model), folds in scores.items():
        ours = scores.get((network, split, "dynamic"), {})
        if model == "dynamic" or not len(folds) == len(ours) == splits.FOLDS:
            continue
        difference = pd.DataFrame(ours) - pd.DataFrame(folds)
        for quantity, row in difference.iterrows():
            n = splits.FOLDS
            test = t_test.corrected_t_test(row.to_numpy(), n - 1, 1)._asdict()
            tests.append({"network": network, "split": split, "model": model, "quantity": quantity, **test})
    return tests


def _scores(run):
    errors = pd.DataFrame(run["errors"])
    return {
        "epicentral_km": errors.epicentral_km.median(),
        "depth_km": errors.depth_km.abs().median(),
        "magnitude": float(np.sqrt((errors.magnitude**2).mean())),
    }


def out_of_fold(runs, network, model, split) -> pd.DataFrame:
    """Errors of all events of a network, each by the model that had not trained on it; indexed by `source_id`."""
    chosen = [run for run in runs if (run["network"], run["model"], run["split"]) == (network, model, split)]
    tables = [pd.DataFrame(run["errors"]).set_index("source_id").assign(fold=run["fold"]) for run in chosen]
    return pd.concat(tables) if tables else pd.DataFrame()


def _network(name, runs, progress):
    from seisbook.catalogues import bulletins, networks  # loads ObsPy, which reading the record does without
    from seisbook.measures import strata

    network = networks.load(name)
    catalogue = bulletins.read_bulletin(network)
    geometry = strata.event_geometry(catalogue, network)
    models = sorted({run["model"] for run in runs if run["network"] == name and run["split"] == "random"})
    errors = {model: out_of_fold(runs, name, model, "random") for model in models}
    close = [model for model in CLOSE_UP if model in errors]
    return {
        "quantiles": {model: _quantiles(table) for model, table in errors.items()},
        "strata": {
            model: {by: _rows(strata.stratify(errors[model], geometry, by)) for by in strata.STRATA} for model in close
        },
        "maps": {model: error_map(errors[model], catalogue, network) for model in close},
        "calibration": _calibration(runs, name, catalogue),
        "bound": _bound(network),
        "graphs": _graphs(name, progress),
    }


def _quantiles(errors):
    """What a distribution function is drawn from."""
    values = {"epicentral_km": errors.epicentral_km, "depth_km": errors.depth_km.abs()}
    values["magnitude"] = errors.magnitude.abs().dropna()
    return {name: _plain(np.quantile(column, QUANTILES)) for name, column in values.items()}


def _rows(table):
    rows = table.reset_index()
    return rows.astype(object).where(rows.notna(), None).to_dict("records")


def _plain(values):
    return [float(f"{value:.4g}") for value in values]


def error_map(errors, catalogue, network, cells=24, fewest=4) -> list[dict]:
    """Errors by place: median error and mean shift of the epicentre in square cells that hold some events.

    Parameters
    ----------
    errors : DataFrame
        Of `out_of_fold`.
    catalogue : Catalogue
        With the events' labels.
    network : Network
    cells : int
        Along the longer side of where the middle 98 % of the events are.
    fewest : int
        Events of a cell; those with fewer are left out.

    Returns
    -------
    list of dict
        `latitude`, `longitude` of the cell's centre, `n`, `epicentral_km` (median), and its side `side_km`.
    """
    events = catalogue.events.loc[errors.index]
    place = np.column_stack(network.to_local(events.source_latitude_deg, events.source_longitude_deg))
    low, high = np.quantile(place, [0.01, 0.99], axis=0)
    side = float((high - low).max() / cells)
    cell = np.floor((place - low) / side).astype(int)
    table = pd.DataFrame({"i": cell[:, 0], "j": cell[:, 1], "error": errors.epicentral_km.to_numpy()})
    table = table.assign(
        latitude=events.source_latitude_deg.to_numpy(), longitude=events.source_longitude_deg.to_numpy()
    )
    grouped = table.groupby(["i", "j"]).agg(
        n=("error", "size"),
        epicentral_km=("error", "median"),
        latitude=("latitude", "mean"),
        longitude=("longitude", "mean"),
    )
    kept = grouped[grouped.n >= fewest].reset_index(drop=True)
    return [{**row, "n": int(row["n"]), "side_km": side} for row in kept.round(4).to_dict("records")]


def _calibration(runs, name, catalogue):
    """Coverage of the predicted uncertainty, before and after split-conformal stretching, on both splits."""
    levels = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
    result = {}
    for split in ("random", "time"):
        errors = out_of_fold(runs, name, "dynamic", split)
        if errors.empty:
            continue
        errors = errors.loc[catalogue.events.index.intersection(errors.index)]
        folds = [
            (np.flatnonzero(errors.fold != fold), np.flatnonzero(errors.fold == fold))
            for fold in sorted(set(errors.fold))
        ]
        result[split] = {
            "coverage": _rows(calibration.coverage(errors, levels)),
            "conformal": [
                {"level": level, **_rows(calibration.conformal_coverage(errors.mahalanobis, folds, level).tail(1))[0]}
                for level in levels
            ],
            "crps": {"depth_km": float(errors.depth_crps_km.mean()), "magnitude": float(errors.magnitude_crps.mean())},
        }
    return result


def _graphs(name, progress):
    """How dynamic the trained dynamic graph is, on the test events of the published model.

    `choice`, the share of events with more than `k + 1` stations, which alone have more than one graph; of those,
    `new`, the share of edges that the second and third block's graphs have and the first's has not, and `not_nearest`,
    the share of each block's edges that do not lead to one of the `k` nearest stations.
    """
    from seisbook.models import checkpoints, inspection  # loads PyTorch, which reading the record does without
    from seisbook.studies import runs

    path = model_path(name, "dynamic", "random", 0, "paper")
    model, card = checkpoints.load(path)
    _, events = runs.parts_of(card, progress)
    k = model.config.neighbours
    choice = np.flatnonzero(np.diff(events.start) > k + 1)
    walks = [inspection.walk(model, events, i) for i in choice]
    return {
        "events": len(events),
        "choice": len(choice) / len(events),
        "new": np.mean([walk.rewired() for walk in walks], axis=0).tolist(),
        "not_nearest": np.mean([walk.beyond(k) for walk in walks], axis=0).tolist(),
    }


def _bound(network):
    """Quantiles of the Cramér-Rao bound of the simulated events that the split `twin` tests on."""
    from seisbook.physics import simulation  # loads ObsPy, which reading the record does without
    from seisbook.physics.bounds import cramer_rao
    from seisbook.physics.traveltimes import TravelTimes
    from seisbook.studies import runs

    twin = simulation.simulate(network, runs.TWIN_EVENTS, runs.TWIN_SEED)
    bound = cramer_rao(network, twin, TravelTimes(network.velocity_model))
    columns = ("epicentral_km", "depth_km", "magnitude")
    finite = bound[np.isfinite(bound).all(axis=1)]
    return {
        "n": len(finite),
        "median": {name: float(finite[name].median()) for name in columns},
        "rms": {name: float(np.sqrt((finite[name] ** 2).mean())) for name in columns},
    }


def table(entries, tests, network, split) -> pd.DataFrame:
    """The models of one network and split, the best first, as the chapter prints them.

    `p` is that of the corrected t-test of the folds' median epicentral errors against `dynamic`, `p, M` that of the
    magnitude's RMSE; a minus says that `dynamic` is better, a plus that the other one is.
    """
    p_values = {
        (test["model"], test["quantity"]): _p(test)
        for test in tests
        if (test["network"], test["split"]) == (network, split)
    }
    rows = {}
    for entry in sorted(_of(entries, network, split), key=lambda entry: entry["epicentral_km"]["median"]):
        model, epicentre, magnitude = entry["model"], entry["epicentral_km"], entry["magnitude"]
        rows[TITLES[model]] = {
            "epicentre (km)": _whole(text(_interval(epicentre, "median"))),
            "90 % (km)": (epicentre["p90"], ".1f"),
            "p": p_values.get((model, "epicentral_km"), ""),
            "depth (km)": (entry["depth_km"]["median"],),
            "magnitude RMSE": _whole(text(_interval(magnitude, "rmse"), ".3f")),
            "p, M": p_values.get((model, "magnitude"), ""),
        }
    return printed(rows)


def _of(entries, network, split):
    return [entry for entry in entries if (entry["network"], entry["split"]) == (network, split)]


def _interval(summary, statistic):
    """Estimate in the summary of some errors, such as their median."""
    return Estimate(summary[statistic], *summary["ci"])


def costs(entries, network) -> pd.DataFrame:
    """Parameters, learning rate on the bulletin, and seconds of a training, of the learned models of one network."""
    return printed(
        {
            TITLES[entry["model"]]: {
                "parameters": (entry["parameters"], ","),
                "learning rate": (entry["learning_rate"], "g"),
                "training (s)": (entry["train_s"], ".0f"),
            }
            for entry in _of(entries, network, "random")
            if entry["learning_rate"]
        }
    )


def _p(test):
    return _whole(f"{'−' if test['mean'] < 0 else '+'} {_probability(test['p'])}")


def _probability(p):
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _whole(text):
    """Text that a narrow table does not break."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


@quoting
def quoted(content):
    """What the prose quotes: from a name such as `colombia-dynamic-epicentre` to the text that stands there."""
    for entry in content["entries"]:
        yield from _quoted_entry(entry)
    for test in content["tests"]:
        if test["split"] == "random" and test["quantity"] == "epicentral_km":
            yield (test["network"], test["model"], "p"), _probability(test["p"]), ""
    for name in content["networks"]:
        rivals = [entry for entry in _of(content["entries"], name, "random") if entry["model"] in PEERS]
        best = min(rivals, key=lambda entry: entry["epicentral_km"]["median"])
        yield (name, "best-peer"), TITLES[best["model"]], ""
        yield (name, "best-peer-epicentre"), best["epicentral_km"]["median"]
    for name, network in content["networks"].items():
        yield (name, "choice"), 100 * network["graphs"]["choice"], ".0f"
        yield (name, "new"), 100 * max(network["graphs"]["new"]), ".0f"


def _quoted_entry(entry):
    """The errors of one model on the folds of one split."""
    key = entry["network"], entry["model"], "" if entry["split"] == "random" else entry["split"]
    epicentre, magnitude = entry["epicentral_km"], entry["magnitude"]
    yield (*key, "epicentre"), epicentre["median"]
    yield (*key, "epicentre-ci"), _interval(epicentre, "median")
    yield (*key, "epicentre-mean"), epicentre["mean"], ".1f"
    yield (*key, "depth"), entry["depth_km"]["median"]
    yield (*key, "magnitude"), magnitude["rmse"], ".3f"
    yield (*key, "magnitude-ci"), _interval(magnitude, "rmse"), ".3f"
    yield (*key, "train"), entry["train_s"], ".0f"
    yield (*key, "events"), entry["n_events"], ","
