import numpy as np
import pytest

from seisbook.findings import robust_folds as findings

CONDITIONS = (("none", None), ("spike", 100.0), ("band_pass", 1.0))


def made(folds, factors, events=120):
    rng = np.random.default_rng(1)
    found = []
    for fold in folds:
        base = rng.lognormal(0, 0.5, events)
        for axis, severity in CONDITIONS:
            trial = {"network": "colombia", "arm": "robust", "split": "random", "fold": fold, "seed": 0}
            errors = base * factors.get((fold, axis), factors.get(axis, 1.0)) * rng.lognormal(0, 0.05, events)
            result = {"epicentral_km": list(errors), "mahalanobis": list(errors)}
            found.append({"trial": {**trial, "axis": axis, "severity": severity}, "result": result})
    return found


@pytest.fixture
def compared():
    return findings.compare(made((1, 2), {"band_pass": 2.0}), made((0, 3), {"band_pass": 2.0, (0, "spike"): 3.0}))


def test_growths_of_the_first_fold_the_others_and_all(compared):
    by_axis = compared.set_index("axis")
    assert by_axis.events.eq(360).all()
    assert by_axis.growth["band_pass"].value == pytest.approx(2, rel=0.1)
    assert by_axis.growth_first["spike"].value == pytest.approx(3, rel=0.1)
    assert by_axis.growth_others["spike"].value == pytest.approx(1, rel=0.1)
    assert dict(by_axis.confirmed) == {"spike": False, "band_pass": True}


def test_the_table_and_the_quotes(compared):
    shown = findings.table(compared)
    assert shown.shape == (2, 6)
    assert set(shown.confirmed) == {"yes", "no"}
    quotes = findings.quoted(compared)
    assert quotes["folds-confirmed"] == "1 of 2"
    assert quotes["folds-colombia-band_pass-1"].startswith("2.0")
