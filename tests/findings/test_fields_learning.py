"""What the learning curve and the shared embedding say, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook.figures import fields_learning as figures
from seisbook.findings import fields_learning, fields_together
from seisbook.studies.fields_learning import EVENTS, STATIONS

GROUPS = ("0.25", "0.5", "1", "never")


def curve(events=1.1, stations=1.0, graph=1.0):
    """Two folds. Errors grow by a factor with each halving; those of the graph are a factor of the others'."""
    made = []
    shares = [(share, 1.0) for share in EVENTS] + [(1.0, share) for share in STATIONS[:-1]]
    for fold in range(2):
        square = np.random.default_rng(fold).exponential(1, (len(GROUPS), 40))
        for n_events, n_stations in shares:
            scale = events ** -np.log2(n_events) * stations ** -np.log2(n_stations)
            factors = {"conditional normal": scale, "dynamic": scale * graph}
            scores = {
                name: {
                    group: {"square": list(square[i] * factor**2), "count": [9.0] * 40}
                    for i, group in enumerate(GROUPS)
                }
                for name, factor in factors.items()
            }
            trial = {"events": n_events, "stations": n_stations, "fold": fold}
            sizes = {"n_events": round(200 * n_events) + fold, "n_stations": round(100 * n_stations) + fold}
            made.append({"trial": trial, "result": {**sizes, "scores": scores}})
    return made


@pytest.mark.parametrize(("events", "word"), [(1.1, "still falls"), (1.0, "level")])
def test_a_curve_is_level_or_still_falls(events, word):
    found = fields_learning.judged(curve(events))
    assert found.word["events", "level"] == word
    assert found.value["events", "level"] == pytest.approx(events)
    assert found.word["stations", "level"] == "level"


@pytest.mark.parametrize(("graph", "word"), [(0.9, "supported"), (1.1, "not supported")])
def test_the_graph_is_compared_with_the_normal_where_least_is_known(graph, word):
    found = fields_learning.judged(curve(graph=graph)).xs("ratio", level="rule")
    assert list(found.word) == [word] * 2
    assert found.value.tolist() == pytest.approx([graph] * 2)


def test_the_curve_is_quoted_and_drawn():
    records = {"italy": curve(), "greece": curve(stations=1.3)}
    quoted = fields_learning.quoted(records)
    assert quoted["learning-stations-level"].count("level") == 1
    assert quoted["learning-stations-level"].count("still falls") == 1
    tables = {region: fields_learning.table(one) for region, one in records.items()}
    assert [f"{one.number['events', 0.125, 'dynamic']:,.0f}" for one in tables.values()] == ["26", "26"]
    assert tables["italy"].rmse["events", 0.125, "dynamic"] > tables["italy"].rmse["events", 1.0, "dynamic"]
    assert len(figures.curves(tables).axes) == 4


def shared(together=1.0, after=1.0):
    """Two folds; errors together and after masked nodes are a factor of those that were trained alone."""
    made = []
    for fold in range(2):
        rng = np.random.default_rng(fold)
        place, size, square = rng.exponential(20, 100), 0.3 * rng.standard_normal(100), rng.exponential(1, 100)
        source = {"epicentral_km": place, "magnitude": size, "depth_km": np.full(100, 3.0)}
        for arm, factor in (("source", 1.0), ("field", 1.0), ("together", together), ("source after masking", after)):
            made.append({"trial": {"arm": arm, "fold": fold}, "result": {}})
            if arm != "field":
                made[-1]["result"]["source"] = {name: (factor * values).tolist() for name, values in source.items()}
            if arm in ("field", "together"):
                scores = {"square": list(factor**2 * square), "count": [9.0] * 100}
                made[-1]["result"]["field"] = {"0.3": scores, "0.5": scores}
        scores = {"square": list(after**2 * square), "count": [9.0] * 100}
        result = {"field": {"0.3": scores, "0.5": scores}}
        made.append({"trial": {"arm": "field after masking", "fold": fold}, "result": result})
    return made


def test_together_and_after_masked_nodes_are_compared_with_alone():
    found = fields_together.table(shared(together=1.2, after=0.8))
    for error in fields_together.ALONE:
        assert found.ratio[error, "together"] == pytest.approx(1.2)
        assert found.verdict[error, "together"] == "not supported"
        assert found.ratio[error, "after masking"] == pytest.approx(0.8)
        assert found.verdict[error, "after masking"] == "supported"
        assert found.verdict[error, "alone"] == ""
    assert set(found.events) == {200}


def test_what_is_shared_is_quoted_and_printed():
    records = {"italy": shared(1.2), "greece": shared(0.9)}
    quoted = fields_together.quoted(records)
    assert quoted["shared-field-together"].startswith("1.20 [1.20, 1.20] (not supported) in Italy and 0.90")
    printed = fields_together.in_words({region: fields_together.table(one) for region, one in records.items()})
    assert printed.shape == (6, 3)
