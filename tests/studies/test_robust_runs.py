"""Robust models that are kept: trained once, evaluated like all others, published only from committed code."""

import numpy as np
import pytest

from seisbook import provenance
from seisbook.errors import UserError
from seisbook.measures import evaluation
from seisbook.models import checkpoints
from seisbook.studies import robust_models, robust_runs, runs
from tests.studies.test_robust import small  # noqa: F401 (a fixture)


@pytest.fixture
def bench(small, events, monkeypatch):  # noqa: F811
    monkeypatch.setattr(robust_runs, "BUILD", small)
    monkeypatch.setattr(checkpoints, "MODELS", small / "published")
    monkeypatch.setattr(runs, "load_events", lambda *_: events)
    return small


def train(split="random", **how):
    return robust_runs.train("ridgecrest", split, 0, "quick", progress=False, **how)


def test_a_model_is_trained_once_and_its_card_holds_its_errors(bench):
    path = train()
    before = path.stat().st_mtime_ns
    assert train() == path
    assert path.stat().st_mtime_ns == before
    model, card = runs.load(path)
    _, held = robust_models.parts("ridgecrest", "random", 0)
    errors = evaluation.errors(runs.locator_of(model, card).predict(held), held)
    assert card.metrics["epicentral_km"]["median"] == pytest.approx(errors.epicentral_km.median())
    assert card.metrics["train_s"] > 0


def test_it_is_evaluated_on_the_events_of_its_fold(bench):
    found = runs.evaluate(train(), progress=False)
    _, held = robust_models.parts("ridgecrest", "random", 0)
    assert found.index.tolist() == held.source_id.tolist()
    assert np.isfinite(found.epicentral_km).all()


def test_the_model_of_the_twin_needs_a_dataset(bench):
    with pytest.raises(UserError, match="give a dataset"):
        runs.evaluate(train("twin"), progress=False)


def test_only_a_first_fold_is_published_and_only_from_committed_code(bench, monkeypatch):
    monkeypatch.setitem(robust_models.RECIPES, "paper", robust_models.RECIPES["quick"])
    paths = [robust_runs.path_of("ridgecrest", *where) for where in (("random", 0), ("random", 1), ("twin", 0))]
    assert [path.parent == checkpoints.MODELS for path in paths] == [True, False, False]
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234+")
    with pytest.raises(UserError, match="commit"):
        robust_runs.train("ridgecrest", progress=False)


def test_another_recipe_is_another_model(monkeypatch):
    key = robust_runs.key("ridgecrest", "random", 0, "paper")
    assert key != robust_runs.key("ridgecrest", "random", 1, "paper")
    monkeypatch.setattr(robust_models, "TWIN_SEED", 5)
    assert key != robust_runs.key("ridgecrest", "random", 0, "paper")


@pytest.mark.parametrize("where", [place for place in robust_runs.PUBLISHED if place[1] != "twin"])
def test_what_a_card_says_follows_from_the_committed_model(where, real_data):
    """The published model gives the errors that its card holds again, from the real bulletin."""
    path = robust_runs.path_of(*where)
    kept = runs.load(path)[1].metrics
    found = evaluation.summarise_errors(runs.evaluate(path, progress=False))
    for quantity, statistic in (("epicentral_km", "median"), ("depth_km", "bias"), ("magnitude", "rmse")):
        assert found[quantity][statistic] == pytest.approx(kept[quantity][statistic], rel=0.02, abs=0.01)
