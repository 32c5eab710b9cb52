"""What the study of inversion says, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook.errors import UserError
from seisbook.figures import fields_inversion as figures
from seisbook.findings import fields_inversion as findings


def records(factors, folds=5, events=200):
    """Errors of `grid` about 20 km and 0.3; those of the others are a factor of them, event by event."""
    rng, made = np.random.default_rng(0), []
    for fold in range(folds):
        place, size = rng.exponential(20 / np.log(2), events), 0.3 * rng.standard_normal(events)
        for arm, factor in {"grid": 1.0, **factors}.items():
            depth = [None, *([3.0] * (events - 1))]
            result = {"epicentral_km": (factor * place).tolist(), "magnitude": (factor * size).tolist()}
            made.append({"trial": {"arm": arm, "fold": fold}, "result": {**result, "depth_km": depth}})
    return made


def test_errors_are_those_that_were_made():
    found = findings.table(records({"dynamic": 0.5}), "greece")
    assert found.epicentral_km["grid"] == pytest.approx(20, rel=0.1)
    assert found.epicentral_km["dynamic"] == pytest.approx(found.epicentral_km["grid"] / 2)
    assert found.magnitude["grid"] == pytest.approx(0.3, rel=0.1)
    assert (found.epicentral_km_low < found.epicentral_km).all()
    assert (found.events == 1000).all()
    assert (found.depth_km == 3.0).all()


@pytest.mark.parametrize(("factor", "word"), [(0.4, "reached"), (0.9, "missed"), (0.6, "open")])
def test_a_target_is_reached_by_the_whole_interval(factor, word):
    made = records({"dynamic": factor})
    assert findings.table(made, "greece").epicentral_km_target["dynamic"] == word
    assert (findings.table(made, "italy").epicentral_km_target == "").all()


def test_comparisons_are_paired_by_event():
    found = findings.comparisons(records({"dynamic": 0.97, "none": 1.1}))
    for name in ("epicentral_km", "magnitude"):
        assert found[name]["dynamic", "grid"] == pytest.approx(0.97)
        assert found[f"{name}_high"]["dynamic", "grid"] == pytest.approx(0.97)
        assert found[f"{name}_verdict"]["dynamic", "none"] == "supported"
    assert ("dynamic", "static") not in found.index
    worse = findings.comparisons(records({"dynamic": 1.2}))
    assert worse.magnitude_verdict["dynamic", "grid"] == "not supported"


def test_methods_with_missing_folds_are_not_compared():
    made = records({"dynamic": 0.5})
    assert findings.comparisons(made[:-1]).empty


def test_readers_get_titles_and_intervals():
    found = findings.in_words(findings.table(records({"dynamic": 0.5})))
    assert list(found.index) == [findings.TITLES["grid"], findings.TITLES["dynamic"]]
    assert found.iloc[0, 0].count("[") == 1


def test_the_figure_has_both_errors_and_the_targets():
    made = records({"dynamic": 0.5, "none": 0.6})
    tables = {name: (name.title(), findings.table(made, name)) for name in ("greece", "italy")}
    figure = figures.inversion(tables)
    assert [axis.get_xlabel() for axis in figure.axes] == list(figures.LABELS.values())
    dotted = [line for axis in figure.axes for line in axis.lines if line.get_linestyle() == ":"]
    assert [line.get_xdata()[0] for line in dotted] == [12.0, 0.22]
    with pytest.raises(UserError, match="nothing to draw"):
        figures.inversion({})


def test_the_prose_quotes_ratios_with_their_verdicts_and_whether_the_targets_are_reached():
    found = findings.quoted({"greece": records({"dynamic": 0.5, "none": 0.5}), "italy": records({"dynamic": 0.5})})
    assert found["inversion-dynamic-grid-magnitude"] == (
        "0.50 [0.50, 0.50] (supported) in Greece and 0.50 [0.50, 0.50] (supported) in Italy"
    )
    assert found["inversion-dynamic-none-epicentral_km"] == "1.00 [1.00, 1.00] (inconclusive) in Greece"
    assert found["inversion-greece-epicentral_km-target"] == "reached"
