"""What the variance study on fields says, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook.figures import fields_variance as figures
from seisbook.findings import fields_variance

PARTITIONS, SEEDS, EVENTS, PLACES = 10, 4, 30, 4


def records(dynamic=0.05, static=0.1):
    """Predictions with a known scatter over partitions for each graph, and a smaller one over seeds."""
    made = []
    for graph, size in (("dynamic", dynamic), ("static", static)):
        rng = np.random.default_rng(len(graph))
        of_partition = size * rng.normal(size=(PARTITIONS, EVENTS, PLACES))
        for partition in range(PARTITIONS):
            for seed in range(SEEDS):
                values = of_partition[partition] + 0.01 * rng.normal(size=(EVENTS, PLACES))
                trial = {"graph": graph, "partition": partition, "seed": seed}
                made.append({"trial": trial, "result": {"external": values.tolist(), "rmse": 0.3}})
    return made


def test_predictions_are_sorted_by_event_partition_and_seed():
    made = records()
    y = fields_variance.predictions(made[::-1], "dynamic")
    assert y.shape == (EVENTS, PARTITIONS, SEEDS, PLACES)
    assert y[3, 2, 1].tolist() == made[2 * SEEDS + 1]["result"]["external"][3]


@pytest.mark.parametrize(("dynamic", "verdict"), [(0.05, "supported"), (0.2, "not supported")])
def test_the_ratio_is_that_of_the_variances_that_were_made(dynamic, verdict):
    row = fields_variance.judged(records(dynamic))
    assert row["value"] == pytest.approx((dynamic / 0.1) ** 2, rel=0.2)
    assert row["verdict"] == verdict
    assert row["n_runs"] == 2 * PARTITIONS * SEEDS


def test_what_is_quoted_and_drawn():
    found = fields_variance.table(records())
    assert found.data.tolist() == pytest.approx([0.05, 0.1], rel=0.1)
    quoted = fields_variance.quoted(records())
    assert quoted["moves-verdict"] == "supported"
    assert quoted["moves-runs"] == "80"
    assert found.runs.tolist() == [40, 40]
    assert len(figures.moves(found, fields_variance.judged(records())).axes) == 2
