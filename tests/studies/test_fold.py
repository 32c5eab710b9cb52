"""The events that studies share, of shipped networks and of a user's own."""

import pytest

from seisbook import provenance
from seisbook.paths import BUILD, DATA
from seisbook.studies import fold, pretraining, runner


@pytest.fixture
def atoll(tmp_path):
    """A network of a user's own: a file anywhere, under a name that the book does not ship."""
    text = (DATA / "networks" / "ridgecrest.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("name: ridgecrest", "name: atoll", 1), encoding="utf-8")
    return str(path)


def test_train_and_test_events_are_apart_and_are_all():
    found = fold.first_fold("ridgecrest", "simulated", "quick")
    assert not set(found.train) & set(found.test)
    assert len(found.shown) + len(found.held) == len(found.events) == fold.SIMULATED["quick"]


def test_handing_a_fold_out_again_counts_as_loading_its_inputs_again():
    for _ in range(2):
        with provenance.watched() as inputs:
            fold.first_fold("ridgecrest", "simulated", "quick")
        assert set(inputs) == {"network:ridgecrest", "events:ridgecrest-simulated-150-3"}


def test_a_users_own_network_has_studies(atoll, monkeypatch):
    monkeypatch.setitem(fold.SIMULATED, "quick", 12)
    with provenance.watched() as inputs:
        found = fold.first_fold(atoll, "simulated", "quick")
    assert len(found.events) == 12
    assert set(inputs) == {f"network:{atoll}", "events:atoll-simulated-12-3"}
    assert pretraining.twin_path(atoll, "dynamic", "quick").parent == BUILD / "models"
    status = runner.status(runner.find("smoothing"), atoll, "simulated", "quick")
    assert status.missing == status.total > 0
