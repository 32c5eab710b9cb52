r"""The variance study on fields: how far predictions at hidden stations move with the training data, by kind of graph.

The design is that of `seisbook.studies.variance`. The test events of the first fold of `seisbook.studies.fields` are
never trained on. The other events are divided into five parts at random, four times; each of the 20 partitions leaves
one part out and trains on the rest, with ten seeds, on the dynamic and on the static graph: 400 trainings. The first
two seeds were looked at before the other eight were run. The law, the stations' terms and the network are fitted to the
partition's events. The model is not handed the conditional normal, and its training is short (`TRAINING`). Half of each
test event's stations are hidden, and the study looks at the predicted peak velocity at four of them, drawn once.

The rule for claim C3 was written before the study was run, and is that of the other models,
`seisbook.measures.variance_ratio.verdict`: the ratio of the means over events of the data-induced variance, dynamic
graph over static graph. The claim is supported if the interval, which resamples events and partitions, lies below 1.
"""

import numpy as np

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.measures import reconstruction, splits
from seisbook.models.field_methods import hide
from seisbook.models.field_model import FieldConfig
from seisbook.models.field_training import FieldNetwork, FieldTraining
from seisbook.studies import runner
from seisbook.studies.fields import EVENTS, INFORMATION, parts, prepare

SIZES = {"quick": (2, 2), "paper": (20, 10)}  # partitions, seeds
GRAPHS = ("dynamic", "static")
TRAINING = {
    "quick": FieldTraining(epochs=1, patterns=1, most_stations=30),
    "paper": FieldTraining(epochs=4, patterns=1, most_stations=30),
}
HIDDEN, PLACES, COLUMN = 0.5, 4, MEASURES.index("pgv")
AGAIN = 0.05
"""Relative difference of root mean square errors when a model is trained again on another processor."""


def trials(network, source, profile) -> list[dict]:
    """All partitions with both graphs, one seed after the other."""
    common = {"network": network, "source": source, "profile": profile}
    partitions, seeds = SIZES[profile]
    return [
        {**common, "partition": partition, "seed": seed, "graph": graph}
        for seed in range(seeds)
        for partition in range(partitions)
        for graph in GRAPHS
    ]


def run(trials) -> list[dict]:
    """Results: `external`, predicted peak velocity (events, 4), log10; `rmse` at all hidden stations, all measures."""
    return [_trained(**trial) for trial in trials]


def _trained(network, source, profile, partition, seed, graph):
    rest, external = parts(network, source, profile)[0]
    train = rest.select(part(len(rest), partition))
    config = FieldConfig(graph=graph, informed=False)
    method = FieldNetwork(INFORMATION["all"], config, TRAINING[profile], seed).fit(train)
    observed = hide(external, HIDDEN)
    prediction = method.predict(external, observed)
    scores = reconstruction.scores(prediction, external, observed)
    values = prediction.mean[places(external, observed), COLUMN]
    return {
        "external": [[float(f"{value:.4f}") for value in row] for row in values],
        "rmse": float(f"{np.sqrt(scores['square'].sum() / scores['count'].sum()):.4g}"),
    }


def part(n, partition) -> np.ndarray:
    """Positions of a partition's training events among `n`: five folds in a row are one division."""
    return splits.random_folds(n, splits.FOLDS, random_state=1 + partition // splits.FOLDS)[partition % splits.FOLDS][0]


def places(fields, observed) -> np.ndarray:
    """Rows of the hidden stations that the study looks at: (events, 4), drawn once."""
    rng = np.random.default_rng(0)
    hidden = [np.flatnonzero(~observed[fields.rows(i)]) + fields.start[i] for i in range(len(fields))]
    return np.array([np.sort(rng.permutation(rows)[:PLACES]) for rows in hidden])


def summary(result) -> dict[str, float]:
    """Root mean square error, which a second run must reproduce."""
    return {"rmse": result["rmse"]}


def config(trial) -> dict:
    """Configuration of a trial: the model and its training."""
    return {
        "model": FieldConfig(graph=trial["graph"], informed=False),
        "training": TRAINING[trial["profile"]],
        "events": EVENTS[trial["profile"]],
        **{"hidden": HIDDEN, "places": PLACES, "measure": MEASURES[COLUMN]},
    }


STUDY = runner.Study("fields-variance", trials, run, config, prepare, summary=summary, tolerance=AGAIN)
