"""The learning curve of fields, and one embedding for two tasks: what is kept, what is withheld, what is recorded."""

import numpy as np
import pytest

from seisbook.studies import fields, fields_learning, fields_together, runner

TWIN = ("italy", "simulated", "quick")


@pytest.fixture(scope="module")
def parts():
    return fields.parts(*TWIN)[0]


@pytest.mark.parametrize("module", [fields_learning, fields_together])
def test_each_study_is_known_and_tells_its_trials_apart(module):
    assert runner.find(module.STUDY.name) is module.STUDY
    for region in ("italy", "greece"):
        trials = module.trials(region, "measured", "paper")
        keys = {runner.provenance.digest(runner.trial_key(module.STUDY, trial)) for trial in trials}
        assert len(keys) == len(trials)
    folds = {trial["fold"] for trial in module.trials("italy", "measured", "paper")}
    assert folds == set(range(5))


def test_fewer_stations_are_a_part_of_more_and_the_others_are_gone(parts):
    train, _ = parts
    kept = [fields_learning.kept(train.station, share, 0) for share in fields_learning.STATIONS]
    assert set(kept[0]) < set(kept[1]) < set(kept[2]) == set(train.station)
    few = fields_learning.of_stations(train, kept[0])
    assert set(few.station) <= set(kept[0])
    assert few.sizes.min() >= fields_learning.LEAST
    name = few.source_id[0]
    rows = train.rows(int(np.flatnonzero(train.source_id == name)[0]))
    at = np.isin(train.station[rows], kept[0])
    assert np.array_equal(few.values[few.rows(0)], train.values[rows][at], equal_nan=True)
    assert np.array_equal(few.pos[few.rows(0)], train.pos[rows][at])


def test_fewer_events_are_a_part_of_more(parts):
    few, half = (set(fields_learning.of_events(parts[0], share, 0).source_id) for share in (0.125, 0.5))
    assert few < half < set(parts[0].source_id)


def test_every_station_is_in_one_group(parts):
    train, test = parts
    groups = fields_learning.grouped(test.station, train.station, 0)
    assert list(groups) == ["0.25", "0.5", "1", "never"]
    assert (np.sum(list(groups.values()), axis=0) == 1).all()
    assert not np.isin(test.station[groups["never"]], train.station).any()


def test_a_trial_of_the_learning_curve_counts_every_hidden_value_once(parts):
    trial = next(one for one in fields_learning.trials(*TWIN) if one["stations"] == 0.25)
    (found,) = fields_learning.run([trial])
    assert found["n_stations"] <= round(0.25 * len(np.unique(parts[0].station)))
    hidden = ~fields_learning.hide(parts[1], fields_learning.HIDDEN)
    for groups in found["scores"].values():
        assert sum(np.sum(scores["count"]) for scores in groups.values()) == np.isfinite(parts[1].values[hidden]).sum()
    assert set(fields_learning.summary(found)) == {*fields_learning.METHODS, *fields_learning.ARMS}


def test_an_arm_records_what_it_was_trained_for(parts):
    found = {t["arm"]: fields_together.run([t])[0] for t in fields_together.trials(*TWIN) if "after" not in t["arm"]}
    assert {arm: set(one) for arm, one in found.items()} == {
        "source": {"source"},
        "field": {"field"},
        "together": {"source", "field"},
    }
    assert len(found["together"]["source"]["epicentral_km"]) == len(parts[1])
    assert set(fields_together.summary(found["together"])) == {"epicentral_km", "magnitude", "field"}


def test_masked_training_sees_the_other_region_only(monkeypatch):
    asked = []
    load = fields_together.load_fields
    monkeypatch.setattr(
        fields_together, "load_fields", lambda region, *rest: asked.append(region) or load(region, *rest)
    )
    fields_together.masked.cache_clear()
    trial = fields_together.trials(*TWIN)[-1]
    assert trial["arm"] == "field after masking"
    fields_together.run([trial])
    assert asked == ["greece"]
