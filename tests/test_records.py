import pytest

from seisbook import records
from seisbook.errors import DataError, UserError
from seisbook.measures.seismicity import Summary


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    return tmp_path


def test_round_trip(results):
    path = records.write("one", {"value": [1.5, 2]})
    assert records.read("one")["value"] == [1.5, 2]
    assert [entry.name for entry in results.iterdir()] == ["one.json"]
    assert path.stat().st_mode & 0o777 == 0o644


def test_missing_record_names_those_that_exist(results):
    records.write("one", {})
    with pytest.raises(UserError, match="there are: one"):
        records.read("two")


def test_damaged_record_is_named(results):
    (results / "one.json").write_text("{")
    with pytest.raises(DataError, match=r"one\.json: not valid JSON"):
        records.read("one")


@pytest.mark.parametrize("network", ["colombia", "ridgecrest"])
def test_committed_catalogue_record_can_be_quoted(network):
    summary = Summary.from_record(records.read("catalogues")[network])
    texts = summary.quoted()
    assert int(texts["events"].replace(",", "")) == summary.events > 1000
    assert f"[{summary.expert_line.epicentre_km.low:.2f}" in texts["expert_epicentre"]
    assert len(summary.table()) > 10
