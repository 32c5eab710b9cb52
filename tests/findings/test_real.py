import numpy as np
import pandas as pd
import pytest

from seisbook.figures import real as figures
from seisbook.figures.ledger import LOOK
from seisbook.findings import real
from seisbook.findings.real import CLASSICAL, LAST, PUBLISHED, TITLES, UNITS
from seisbook.measures.estimates import Estimate
from seisbook.studies import real as study
from seisbook.studies import real_twin

EVENTS = 27
SCALES = {"rendered": 2.0, "real noise": 1.0, PUBLISHED: 1.1}


def located(arm, unit, seed=0, axis="none", severity=None, scale=1.0):
    rng = np.random.default_rng(7)
    errors = scale * rng.lognormal(0, 0.6, EVENTS)
    trial = {"test": "located", "arm": arm, "seed": seed, "unit": unit, "axis": axis, "severity": severity}
    if axis != "none":
        return {"trial": trial, "result": {"epicentral_km": errors.tolist()}}
    result = {
        **{"epicentral_km": errors.tolist(), "depth_km": (0.2 + 0.1 * rng.standard_normal(EVENTS)).tolist()},
        **{"magnitude": [3.0] * EVENTS, "calibrated": [0.2] * (EVENTS - 1) + [None]},
        **{"p_off_s": [0.1, 0.1, 0.1, 2.0], "s_off_s": [0.1, 0.1, 0.1, 0.1, -0.6]},
        **{"solver_epicentral_km": errors.tolist(), "solver_depth_km": [0.1] * EVENTS},
        "estimate": rng.standard_normal((EVENTS, 4)).tolist(),
        "tril": [[1.0, 0.0, 0.2, 0.8]] * EVENTS,
    }
    return {"trial": trial, "result": result}


def tuned(unit, few, block, draw):
    trial = {"test": "tuned", "arm": LAST, "seed": 0, "unit": unit, "few": few, "block": block, "draw": draw}
    tested = np.array_split(np.arange(EVENTS), 4)[block]
    result = {"event": tested.tolist(), "epicentral_km": [5.0 / few] * len(tested), "depth_km": [0.1] * len(tested)}
    return {"trial": trial, "result": {**result, "magnitude": [0.3] * len(tested), "calibrated": [0.1] * len(tested)}}


@pytest.fixture
def records():
    """Real noise halves the errors of the rendered arm, and an octave at 16 Hz triples them."""
    found = []
    for unit in UNITS:
        for arm in (name for name in TITLES if name not in CLASSICAL):
            for seed in range(1 if arm == PUBLISHED else 2):
                found.append(located(arm, unit, seed, scale=SCALES.get(arm, 1.0)))
        for arm in (PUBLISHED, LAST):
            for axis in ("band_pass", "joint_shift", "independent_shift"):
                scale = SCALES.get(arm, 1.0)
                found.append(located(arm, unit, axis=axis, severity=1.0, scale=1.1 * scale))
                found.append(located(arm, unit, axis=axis, severity=16.0, scale=3 * scale))
        found += [tuned(unit, few, block, draw) for few in (5, 20) for block in range(4) for draw in range(2)]
    for arm in CLASSICAL:
        result = {"epicentral_km": [0.5] * 26 + [None], "depth_km": [0.1] * 26 + [None]}
        found.append({"trial": {"test": "classical", "arm": arm}, "result": result})
    severities = {"band_pass": [1.0, 16.0], "joint_shift": [1.0], "independent_shift": []}
    found.append({"trial": {"test": "informative", "arm": ""}, "result": {"severities": severities}})
    columns = {name: [0.1, 0.2, 0.3] for name in real.WORDS}
    texture = {"records": 37, "noise_pieces": 550, "stations": 24, "quartiles": columns}
    found.append({"trial": {"test": "texture", "arm": ""}, "result": texture})
    for arm, scores in (("rendered", [0.1, 0.2, 0.3, 0.8, 0.9, 0.7]), ("real noise", [0.5, 0.4, 0.6, 0.5, 0.4, 0.6])):
        area = {"rendered": 1.0, "real noise": 0.5}[arm]
        kinds = {"coda over S": [[0.1, 0.2, 0.3], [0.1, 0.3, 0.5]]}
        result = {"records": 3, "area": area, "scores": scores, "statistics": kinds}
        found.append({"trial": {"test": "critic", "arm": arm}, "result": result})
    return found


def test_names_are_those_of_the_study():
    assert set(TITLES) == {PUBLISHED, *real_twin.ARMS, *study.CLASSICAL}
    assert study.JUDGED == real.JUDGED
    assert tuple(UNITS) == real_twin.UNITS
    assert set(real.RUNGS.values()) | set(real.RUNGS) == set(real_twin.ARMS)


def test_the_ladder_pools_seeds_and_counts_onsets_near_the_picks(records):
    found = real.ladder(records).set_index(["arm", "unit"])
    assert found.loc[("rendered", "counts")].seeds == 2
    ratio = (
        found.loc[("rendered", "counts")].epicentre_km.value / found.loc[("real noise", "counts")].epicentre_km.value
    )
    assert ratio == pytest.approx(2)
    assert found.loc[(LAST, "counts")].p_picks == pytest.approx(0.75)
    assert found.loc[(LAST, "counts")].s_picks == pytest.approx(0.8)
    assert found.loc[(LAST, "counts")].magnitude_rmse.value == pytest.approx(0.2)
    assert found.loc[("classical, own picks", "counts")].epicentre_km.value == 0.5
    assert "75% / 80%" in real.ladder_table(found.reset_index()).to_numpy()


def test_an_ingredient_helps_only_with_its_interval(records):
    found = real.rungs(records).set_index(["arm", "unit"])
    assert found.loc[("real noise", "counts")].verdict == "helps"
    assert found.loc[("site terms too", "counts")].verdict == "undecided"


def test_a_target_is_met_only_with_every_seed(records):
    found = real.targets(records).set_index(["arm", "unit", "target"])
    assert not found.loc[(LAST, "counts", "P within 0.5 s")].met
    assert found.loc[(LAST, "counts", "S within 0.5 s")].met
    one = next(r for r in records if r["trial"].get("arm") == LAST and r["trial"].get("seed") == 1)
    one["result"]["s_off_s"] = [2.0, 2.0]
    changed = real.targets(records).set_index(["arm", "unit", "target"])
    assert not changed.loc[(LAST, one["trial"]["unit"], "S within 0.5 s")].met


def test_learning_begins_with_no_real_event(records):
    found = real.learning(records)
    assert found[found.unit == "counts"].events.tolist() == [0, 5, 20]
    assert found.epicentre_km.iloc[2].value == pytest.approx(0.25)
    assert found.magnitude_rmse.iloc[0].value == pytest.approx(0.2)


def test_the_critic_has_the_area_of_its_scores(records):
    found = real.critics(records).set_index("arm")
    assert found.loc["rendered"].area.value == 1.0
    assert not found.loc["rendered"].met
    assert found.loc["real noise"].area.value == pytest.approx(0.5)
    assert found.loc["real noise"].met
    assert real.single_areas(records).loc["coda over S", TITLES["rendered"]] == pytest.approx(6 / 9)


def test_verdicts_look_at_informative_severities_only(records):
    rows = real.verdicts(records, 0.15)
    bands = [row for row in rows if row["claim"] == "C5"]
    assert len(bands) == 4
    assert {row["verdict"] for row in bands} == {"not supported"}
    assert all("worst at 16" in row["measured"] for row in bands)
    shifts = [row for row in rows if row["claim"] == "C6"]
    assert len(shifts) == 4
    assert {row["verdict"] for row in shifts} == {"supported"}
    assert len([row for row in rows if row["claim"] == "C1"]) == 6


@pytest.mark.parametrize(("promised", "verdict"), [(0.15, "not supported"), (0.25, "supported")])
def test_magnitudes_are_held_against_what_is_promised(records, promised, verdict):
    rows = [row for row in real.verdicts(records, promised) if row["claim"] == "C2"]
    assert len(rows) == 6
    assert {row["verdict"] for row in rows} == {verdict}
    assert all(row["value"] == pytest.approx(0.2) for row in rows)


def test_the_outside_test_is_a_row_of_its_own_place(records):
    (row,) = real.outside_verdicts([located(PUBLISHED, "displacement", scale=9.0)])
    assert (row["claim"], row["network"], row["threshold"]) == ("C1", "ridgecrest_august", 2.0)
    assert row["verdict"] == "not supported"


def test_everything_can_be_quoted_printed_and_drawn(records):
    quoted = real.quoted(records)
    assert quoted["real-targets-all"] == "24"
    assert quoted["real-critic-rendered"].startswith("1.00")
    ladder, rungs, learning = real.ladder(records), real.rungs(records), real.learning(records)
    tables = [real.ladder_table(ladder), real.rungs_table(rungs), real.learning_table(learning)]
    tables += [real.targets_table(real.targets(records)), real.critics_table(real.critics(records))]
    tables += [real.measured_table(records), real.verdicts_table(real.verdicts(records, 0.15))]
    assert all(len(table) for table in tables)
    shown = {"a": real.of(records, "located", arm=LAST, unit="counts", axis="none")[0]["result"]}
    drawn = [
        figures.arms(ladder),
        figures.events_map(shown, np.zeros((EVENTS, 4)), np.ones((12, 2))),
        figures.statistics({"rendered": real.statistics(records, "rendered")}),
        figures.critics(real.critics(records)),
        figures.learning(learning),
        figures.verdicts(real.verdicts(records, 0.15)),
    ]
    assert [len(figure.axes) for figure in drawn] == [1, 1, 1, 1, 2, 1]


def test_each_verdict_is_drawn_with_its_mark_below_its_heading(records):
    rows = real.verdicts(records, 0.15)
    (axis,) = figures.verdicts(rows).axes
    marks = [line.get_marker() for line in axis.lines if line.get_marker() not in (None, "None", "")]
    assert len(marks) == len(rows)
    assert marks.count(LOOK["not supported"][1]) == sum(row["verdict"] == "not supported" for row in rows)
    names = [text.get_text() for text in axis.get_yticklabels()]
    assert [name for name in names if name.startswith("C")] == sorted({f"{r['claim']}  {r['what']}" for r in rows})


def test_what_can_be_seen_follows_from_the_widths_of_the_intervals():
    rows = pd.DataFrame({"ratio": [Estimate(1.0, 0.5, 2.0), Estimate(1.2, 0.3, 2.7), Estimate(0.5, 0.4, 0.9)]})
    assert real.detectable(rows) == pytest.approx(2.0)
    assert real.events_needed(rows, 2.0, EVENTS) == pytest.approx(EVENTS)
    assert real.events_needed(rows, 2.0**0.5, EVENTS) == pytest.approx(4 * EVENTS)
