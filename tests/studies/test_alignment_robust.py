from dataclasses import replace

import numpy as np
import pytest

from seisbook.studies import alignment, arms, robust_models
from seisbook.studies import alignment_robust as study
from tests.studies.test_alignment import made_up

WHERE = {"network": "colombia", "source": "simulated", "profile": "quick"}


@pytest.mark.parametrize(("network", "source"), arms.CORPORA)
def test_trials_are_those_of_the_older_study_that_have_a_tower(network, source):
    ours, theirs = (module.trials(network, source, "paper") for module in (study, alignment))
    assert all(trial in theirs for trial in ours)
    left_out = [trial for trial in theirs if trial not in ours]
    assert len(left_out) == len(study.OF_ALIGNERS) + 2 * len(alignment.PAIRED)


def test_the_tower_is_judged_as_the_older_study_judges_its_own(monkeypatch):
    given = made_up()
    for module in (study, alignment):
        monkeypatch.setattr(module, "corpus", lambda *_: given)
    for changed in ({}, {"arm": "popularity"}, {"arm": "supervised"}, {"withheld": "induced"}):
        trial = {**WHERE, **arms.PLAIN, **changed}
        (ours,), (theirs,) = study.run([trial]), alignment.run([trial])
        assert ours == {name: value for name, value in theirs.items() if name != "n_texts"}


def test_the_corpus_keeps_its_texts_and_changes_its_tower(robust_bench, monkeypatch):
    events, n = robust_bench, len(robust_bench)
    given = replace(made_up(n), source_id=np.sort(events.source_id))
    monkeypatch.setattr(alignment, "corpus", lambda *_: given)
    monkeypatch.setattr(study, "_events_of", lambda *_: (None, [events]))
    study.corpus.cache_clear()
    found = study.corpus("ridgecrest", "simulated", "quick")
    study.corpus.cache_clear()
    assert found.texts is given.texts
    assert len(found.embedding) == len(found.untrained) == n
    assert np.abs(found.embedding - found.untrained).max() > 0.01
    twin = robust_models.locator("ridgecrest", robust_models.MAIN, "quick", 0)
    twin.model_ = twin.start_from
    alone = twin.predict(events.select([5]))  # events are in the order of the corpus, not in their own
    place = found.source_id.tolist().index(events.source_id[5])
    np.testing.assert_allclose(found.estimates[place, 3], alone.magnitude.item(), atol=1e-4)
    np.testing.assert_allclose(found.embedding[place], alone.embedding.numpy()[0], atol=1e-3)


def test_residuals_are_those_of_the_folds_own_model(robust_bench):
    trial = {"part": "residuals", "network": "ridgecrest", "source": "bulletin", "profile": "quick", "fold": 1}
    (result,) = study.run([trial])
    train, (held, _) = robust_models.fold_of("ridgecrest", 1, "quick")
    assert not set(train[0].source_id) & set(held.source_id)
    assert result["source_id"] == held.source_id.tolist()
    assert np.shape(result["estimates"]) == (len(held), 4)
    assert np.isfinite(result["estimates"]).all()
    assert alignment.summary(result)["median estimates"] > 0
