"""Records that sum up others: computing one writes nothing, recording needs a commit, reading one checks its key."""

import sys
from types import SimpleNamespace

import pytest

from seisbook import provenance, records
from seisbook.errors import UserError
from seisbook.findings import summaries


def compute(progress):
    provenance.note("file:one", "content")
    return {"value": [1.5, float("inf")]}


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    monkeypatch.setitem(summaries.SUMMARIES, "one", "made_up_summary")
    monkeypatch.setitem(sys.modules, "made_up_summary", SimpleNamespace(compute=compute))
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234")
    return tmp_path


def test_what_was_computed_is_recorded_with_its_inputs(results):
    path = summaries.record("one", progress=False)
    assert path == results / "one.json"
    kept, content = records.read(path)
    assert (kept["key"], kept["inputs"]) == (summaries.key("one"), {"file:one": "content"})
    assert content == {"value": [1.5, float("inf")]} == {"value": summaries.load("one")["value"]}
    assert summaries.load("one")["commit"] == ""  # recorded, but not verified


def test_computing_writes_nothing(results):
    assert summaries.computed("one", progress=False) == (compute(False), {"file:one": "content"})
    assert not list(results.iterdir())


def test_nothing_is_recorded_while_code_has_changed(results, monkeypatch):
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234+")
    with pytest.raises(UserError, match="commit first"):
        summaries.record("one", progress=False)
    assert not list(results.iterdir())


def test_a_record_under_another_name_is_stale(results):
    records.write(results / "variance.json", {}, provenance.provenance(summaries.key("models"), {}))
    with pytest.raises(UserError, match=r"variance\.json: stale: its configuration has changed: name"):
        summaries.load("variance")


def test_an_unknown_record_is_named(results):
    with pytest.raises(UserError, match="no record 'two': choose among catalogues, models"):
        summaries.record("two")


@pytest.mark.parametrize("name", summaries.SUMMARIES)
def test_the_shipped_records_are_not_out_of_date(name):
    assert provenance.state(records.path_of(name), summaries.key(name)).name in ("current", "unverified")
