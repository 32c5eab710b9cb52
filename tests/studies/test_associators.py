import numpy as np
import pytest

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.studies import associators, runner
from tests.made_up import TOY

pytest.importorskip("pyocto")


@pytest.fixture
def toy(catalogue, travel_times, monkeypatch):
    """The study's events are a hundred of the toy network."""
    monkeypatch.setattr(networks, "load", lambda network: TOY)
    monkeypatch.setattr(associators.bulletins, "read_bulletin", lambda network: catalogue.head(100))
    monkeypatch.setattr(associators, "TravelTimes", lambda model: travel_times)
    associators._parts.cache_clear()
    yield catalogue.head(100)
    associators._parts.cache_clear()


def test_arms_are_tested_on_the_same_events(toy):
    trials = [{**one, "fold": 1} for one in associators.trials("toy", "bulletin", "paper") if one["fold"] == 0]
    found = dict(zip([one["arm"] for one in trials], associators.run(trials), strict=True))
    assert list(found) == [*associators.OCTO, associators.CHOSEN]
    assert len({tuple(one["source_id"]) for one in found.values()}) == 1
    assert all(len(one["epicentral_km"]) == 20 for one in found.values())
    assert [found[arm]["terms"] for arm in associators.OCTO] == [False, True]
    assert runner.medians(found["pyocto"])["epicentral_km"] < 5
    assert np.mean(found["pyocto"]["found"]) > 0.9


def test_an_event_that_is_not_found_gets_the_training_events_medians(toy):
    train, test = toy.select(np.arange(80)), toy.select(np.arange(80, 100))
    table = test.events.assign(east_km=0.0, north_km=0.0, depth_km=5.0)
    table.loc[test.events.index[3], "east_km"] = np.nan
    errors, found = associators._errors(table, train, test, TOY)
    guess, label = np.median(associators._places(TOY, train), axis=0), associators._places(TOY, test)[3]
    assert (~found).tolist() == [i == 3 for i in range(20)]
    assert errors.epicentral_km.iloc[3] == pytest.approx(np.hypot(*(guess - label)[:2]))
    assert errors.depth_km.iloc[3] == pytest.approx(guess[2] - label[2])


def test_simulated_events_have_no_analyst():
    trial = associators.trials("colombia", "simulated", "quick")[0]
    with pytest.raises(UserError, match="bulletin"):
        associators.run([trial])
