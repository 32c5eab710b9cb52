import numpy as np
import pytest

from seisbook.figures import real_outside as figures
from seisbook.findings import real_outside
from seisbook.studies import real_outside as study

EVENTS = 17


def onsets(method, p_off, s_off):
    """Two picks of P and one of S at each of ten events."""
    result = {"p_event": [i // 2 for i in range(20)], "p_off_s": p_off, "s_event": list(range(10)), "s_off_s": s_off}
    return {"trial": {"network": "uturuncu", "method": method}, "result": result}


@pytest.fixture
def at_uturuncu():
    """One reader finds every onset, one finds half of them, and the picker finds no S at half of the events."""
    return [
        onsets("ridgecrest", [0.1] * 20, [0.1] * 10),
        onsets("iceland", [0.1, 2.0] * 10, [-0.4] * 10),
        onsets("picker", [0.1] * 16 + [0.6] * 4, [0.1] * 5 + [None] * 5),
    ]


@pytest.fixture
def in_mexico():
    """The twin's model is ten times closer than the classical pipeline, which misses one event."""
    rng = np.random.default_rng(3)
    near = 10 * rng.lognormal(0, 0.3, EVENTS)

    def of(method, errors, **more):
        result = {"epicentral_km": list(errors), "magnitude": [0.1] * EVENTS, **more}
        return {"trial": {"network": "mexico", "method": method}, "result": result}

    return [
        of("twin", near, solver_epicentral_km=list(near)),
        of("classical", [*(10 * near)[:-1], None]),
        of("guess", [150.0] * EVENTS),
    ]


def test_names_are_those_of_the_study():
    assert tuple(real_outside.READERS) == study.METHODS["uturuncu"]
    assert set(real_outside.METHODS) - {real_outside.SOLVER} == set(study.METHODS["mexico"])
    assert (real_outside.ONSETS, real_outside.EARTHQUAKES) == (study.ONSETS, study.EARTHQUAKES)


def test_a_pick_without_an_onset_is_missed_and_the_interval_decides_on_the_target(at_uturuncu):
    found = real_outside.onsets(at_uturuncu).set_index(["method", "wave"])
    assert found.share["ridgecrest", "p"].value == 1
    assert found.target["ridgecrest", "p"] == "met"
    assert found.share["iceland", "p"] == (0.5, 0.5, 0.5)  # one of two at every event
    assert found.target["iceland", "p"] == "missed"
    assert found.share["picker", "s"].value == 0.5
    assert found.target["picker", "p"] == "undecided"
    assert found.picks["picker", "p"] == 20


def test_picks_of_an_event_are_drawn_together(at_uturuncu):
    share = real_outside.onsets(at_uturuncu).set_index(["method", "wave"]).share["picker", "p"]
    assert share.value == pytest.approx(0.8)
    assert share.high - share.low > 0.3  # twenty picks one by one would give 0.35 at most, ten events give more


def test_an_event_that_is_not_located_is_as_far_as_can_be(in_mexico):
    errors = real_outside.errors(in_mexico, "epicentral_km")
    assert errors["classical"][-1] == real_outside.LOST["epicentral_km"]
    assert len(errors) == 4
    rows = real_outside.earthquakes(in_mexico).set_index("method")
    assert rows.ratio["classical"].value == pytest.approx(0.1, rel=0.2)
    assert rows.relation["classical"] == "better"
    assert rows.relation["solver"] == "undecided"
    assert rows.nine_in_ten_km["classical"].high == real_outside.LOST["epicentral_km"]


def test_targets_of_the_twin_follow_the_intervals(in_mexico):
    found = real_outside.targets(real_outside.earthquakes(in_mexico)).set_index("target").met
    assert found.tolist() == ["met", "met", "met"]
    in_mexico[0]["result"]["epicentral_km"] = [50.0] * EVENTS
    assert real_outside.targets(real_outside.earthquakes(in_mexico)).met.tolist() == ["missed", "met", "met"]


def test_everything_can_be_quoted_printed_and_drawn(at_uturuncu, in_mexico):
    quoted = real_outside.quoted_onsets(at_uturuncu) | real_outside.quoted_earthquakes(in_mexico)
    assert quoted["outside-picks-p"] == "20"
    assert quoted["outside-iceland-p"].startswith("50%")
    assert quoted["outside-target-median"] == "met"
    table = real_outside.earthquakes_table(real_outside.earthquakes(in_mexico))
    assert table.loc["classical, own picks", "it is"] == "better"
    assert len(real_outside.onsets_table(real_outside.onsets(at_uturuncu))) == 3
    drawn = figures.earthquakes(real_outside.errors(in_mexico, "epicentral_km"))
    dots = [line for line in drawn.axes[0].lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [EVENTS] * 4
    assert all(line.get_xdata().max() < 3000 for line in dots)
    assert len(figures.onsets(real_outside.onsets(at_uturuncu)).axes) == 1
