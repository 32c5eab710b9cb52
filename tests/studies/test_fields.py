"""The fields study: its trials, and what it does not show a method."""

import numpy as np
import pytest

from seisbook.datasets import fields as data
from seisbook.measures import splits
from seisbook.models.field_methods import HIDDEN
from seisbook.studies import fields, runner

TWIN = {"network": "greece", "source": "simulated", "profile": "quick"}


@pytest.fixture(scope="module")
def result():
    trial = {**TWIN, "arm": "reference", "information": "all", "fold": 0}
    return fields.run([trial])[0]


def test_the_study_is_known():
    assert runner.find("fields") is fields.STUDY


def test_trials_hold_every_combination_once_and_the_rule_first():
    trials = fields.trials("italy", "measured", "paper")
    assert len({tuple(trial.items()) for trial in trials}) == len(trials) == (1 + len(fields.ARMS)) * 3 * splits.FOLDS
    assert {trial["arm"] for trial in trials[: 2 * 3 * splits.FOLDS]} == {"reference", "dynamic"}
    assert len(fields.trials("italy", "simulated", "quick")) == 3 * (1 + len(fields.ARMS))
    assert len(fields.trials("greece", "measured", "paper")) == len(trials)


def test_the_configuration_tells_arms_apart():
    trials = fields.trials("italy", "measured", "paper")
    keys = {runner.provenance.digest(runner.trial_key(fields.STUDY, trial)) for trial in trials}
    assert len(keys) == len(trials)
    assert "model" not in fields.config(trials[0])
    assert fields.config(trials[-1])["model"].graph == "convolution"


def test_every_event_is_tested_once():
    parts = fields.parts("greece", "simulated", "quick")
    tested = np.concatenate([test.source_id for _, test in parts])
    everything = data.load_fields("greece", "simulated", fields.EVENTS["quick"], progress=False)
    assert sorted(tested) == sorted(everything.source_id)
    for train, test in parts:
        assert not set(train.source_id) & set(test.source_id)


def test_results_hold_all_shares_of_each_method(result):
    _, test = fields.parts("greece", "simulated", "quick")[0]
    assert list(result) == list(fields.REFERENCE)
    for shares in result.values():
        assert [float(share) for share in shares] == list(HIDDEN)
        for scores in shares.values():
            assert len(scores["square"]) == len(scores["count"]) == len(test)
            assert len(scores["rmse"]) == len(scores["covered"]) == len(scores["crps"]) == 5
    counts = [shares["0.3"]["count"] for shares in result.values()]
    assert all(count == counts[0] for count in counts)


def test_the_summary_ranks_methods_as_what_they_know(result):
    found = fields.summary(result)
    assert found["conditional normal"] < found["event term"] < found["law"]


def test_a_model_is_trained():
    trial = {**TWIN, "arm": "dynamic", "information": "no site terms", "fold": 0}
    (result,) = fields.run([trial])
    assert list(result) == ["dynamic"]
    assert 0.1 < fields.summary(result)["dynamic"] < 0.6
