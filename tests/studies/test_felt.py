"""The study of felt reports on a simulated twin: its trials, what its arms are given, and what it scores."""

import numpy as np
import pytest

from seisbook.datasets.felt import Cells
from seisbook.studies import felt, runner

TWIN = {"network": "greece", "source": "simulated", "profile": "quick"}


@pytest.fixture(scope="module")
def result():
    return felt.run([{**TWIN, "fold": 0}])[0]


def test_the_study_is_known_and_has_a_trial_a_fold():
    assert runner.find("felt") is felt.STUDY
    assert [trial["fold"] for trial in felt.trials("italy", "measured", "paper")] == list(range(felt.FOLDS["paper"]))


def test_results_hold_every_combination(result):
    events = len(result["cells"])
    assert list(result["scores"]) == list(felt.TOLD)
    for told, by_stations in result["scores"].items():
        assert list(by_stations) == list(felt.STATIONS)
        for arms in by_stations.values():
            assert list(arms) == list(felt.ARMS)
            assert all(len(values) == events for scores in arms.values() for values in scores.values())
            assert len({tuple(scores["count"]) for scores in arms.values()}) == 1
            assert ("magnitude" in arms["none"]) == (told == "no source") != ("event_term" in arms["none"])
    assert min(result["cells"]) >= 3


def test_reports_help_a_twin_whose_source_is_unknown(result):
    found = felt.summary(result)
    assert found["no source, refitted"] < 0.7 * found["no source, none"]


def test_a_control_keeps_places_and_knows_only_what_is_told():
    event = felt._parts(*TWIN.values())[0][0].select([0])
    pos = event.epicentre[0] + np.array([[10.0, 0.0], [200.0, 0.0]])
    cells = Cells(pos, np.array([5.0, 5.0]), np.array([9.0, 9.0]), np.array([0.1, 0.1]))
    other = cells._replace(intensity=np.array([2.0, 2.5]))
    law = np.array([6.0, 1.0, 0, -1.5, 0, 0, 0]), 3.3
    arms = felt._arms(event, cells, None, law, other)
    given = felt._given(event, "source")
    assert arms["none"][0](given) is None
    assert set(arms["shuffled"][0](given).intensity) <= {2.0, 2.5}
    near, far = arms["expected"][0](given).intensity
    assert near > far
    assert arms["expected"][0](None).intensity.tolist() == [3.3, 3.3]
    for name in felt.ARMS[1:]:
        assert (arms[name][0](given).pos == pos).all()
    off = felt._given(event, "magnitude off")
    assert abs(off.magnitude - given.magnitude) == pytest.approx(felt.OFF)
    assert felt._given(event, "no source") is None


def test_the_fewer_stations_are_a_part_of_the_more_and_none_is_scored():
    event = felt._parts(*TWIN.values())[0][0].select([0])
    patterns = felt._patterns(event)
    assert [patterns[stations][0].sum() for stations in ("0", "1", "3")] == [0, 1, 3]
    assert (patterns["3"][0] >= patterns["1"][0]).all()
    for observed, hidden in patterns.values():
        assert not (observed & hidden).any()
    assert (patterns["0"][1] == patterns["3"][1]).all()
