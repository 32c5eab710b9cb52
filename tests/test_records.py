import json
from contextlib import suppress

import pytest

from seisbook import provenance, records
from seisbook.errors import DataError, UserError
from seisbook.findings import summaries
from seisbook.measures.seismicity import Summary
from tests.breaking import interrupt

MADE_OF = {"key": {"stage": "test"}, "inputs": {"file:one": "content"}}


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    return tmp_path


def test_round_trip(results):
    path = records.write(records.path_of("one"), {"value": [1.5, 2]}, MADE_OF)
    kept, content = records.read(path)
    assert content == {"value": [1.5, 2]}
    assert {name: kept[name] for name in MADE_OF} == MADE_OF
    assert [entry.name for entry in results.iterdir()] == ["one.json"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("content", [{"value": [1.5, 2], "text": "}\n{"}, {}])
def test_provenance_is_the_first_line_of_a_file_that_is_json_as_a_whole(tmp_path, content, indent):
    path = records.write(tmp_path / "one.json", content, MADE_OF, indent)
    first, rest = path.read_text().split("\n", 1)
    kept, body = records.split(path)
    assert json.loads(first.removesuffix(",") + "}") == {"provenance": kept}
    assert rest == body
    assert kept["content"] == records.hash_of(body)
    assert records.read(path)[1] == content
    if content:
        assert json.loads(path.read_text()) == {"provenance": kept, **content}


def test_the_same_content_has_the_same_hash_whatever_it_was_made_of(tmp_path):
    paths = [
        records.write(tmp_path / f"{i}.json", {"value": value}, {**MADE_OF, "inputs": inputs})
        for i, (value, inputs) in enumerate([(1.5, {}), (1.5, {"file:one": "another"}), (1.6, {})])
    ]
    first, second, third = (records.split(path)[0]["content"] for path in paths)
    assert first == second != third


def test_another_provenance_leaves_the_content_as_it_is(tmp_path):
    path = records.write(tmp_path / "one.json", {"value": [1.5, 2]}, MADE_OF, indent=1)
    kept, body = records.split(path)
    records.restamp(path, {**kept, "evidence": {"agrees": True}})
    assert records.split(path) == ({**kept, "evidence": {"agrees": True}}, body)


def test_nothing_is_left_of_a_record_that_cannot_be_written(results):
    before = records.write(records.path_of("one"), {"value": 1}, MADE_OF).read_bytes()
    with pytest.raises(ValueError, match="a number is NaN"):
        records.write(records.path_of("one"), {"value": [1.0, float("nan")]}, MADE_OF)
    with pytest.raises(TypeError):
        records.write(records.path_of("one"), {"value": object()}, MADE_OF)
    assert [entry.read_bytes() for entry in results.iterdir()] == [before]


def test_an_interval_without_an_end_stays_one(tmp_path):
    content = {"ci": [float("-inf"), float("inf")], "text": "NaN, Infinity"}
    path = records.write(tmp_path / "one.json", content, MADE_OF)
    assert "1e999" in path.read_text()
    assert records.read(path)[1] == content


def test_missing_record_names_those_that_exist(results):
    records.write(records.path_of("one"), {}, MADE_OF)
    with pytest.raises(UserError, match="there are: one"):
        records.read(records.path_of("two"))


@pytest.mark.parametrize(
    "text", ["{", "", "[]", "<<<<<<< HEAD\n{}", '{"value": 1}', '{"provenance"\n: {}, "value": 1}']
)
def test_a_record_without_provenance_is_named(results, text):
    (results / "one.json").write_text(text)
    with pytest.raises(DataError, match=r"one\.json: line 1: no provenance"):
        records.read(records.path_of("one"))


def test_a_number_that_was_changed_by_hand_is_noticed(results):
    path = records.write(records.path_of("one"), {"value": [1.5, 2, 3]}, MADE_OF)
    path.write_text(path.read_text().replace("1.5", "1.4"))
    with pytest.raises(DataError, match=r"one\.json: its content is not the one that was written"):
        records.read(path)


def test_damaged_record_is_named(results):
    path = records.write(records.path_of("one"), {"value": [1, 2, 3]}, MADE_OF)
    path.write_text(path.read_text()[:-5])
    with pytest.raises(DataError, match=r"one\.json: not valid JSON"):
        records.read(path)


@pytest.mark.parametrize("network", ["colombia", "ridgecrest"])
def test_committed_catalogue_record_can_be_quoted(network):
    summary = Summary.from_record(summaries.load("catalogues")[network])
    texts = summary.quoted()
    assert int(texts["events"].replace(",", "")) == summary.events > 1000
    assert f"[{summary.expert_line.epicentre_km.low:.2f}" in texts["expert_epicentre"]
    assert len(summary.table()) > 10


# ------------------------------------------------------------------------------------------------- whole or not at all


def test_a_record_is_old_or_new_whichever_step_fails(results, breaker):
    path = records.write(records.path_of("one"), {"value": 1}, MADE_OF)
    steps = breaker.stop(-1, None, lambda: records.write(path, {"value": 1}, MADE_OF))
    for at in range(1, steps + 1):
        with suppress(KeyboardInterrupt):
            breaker.stop(at, interrupt, lambda: records.write(path, {"value": 2}, MADE_OF))
        assert records.read(path)[1] in ({"value": 1}, {"value": 2})
        records.write(path, {"value": 1}, MADE_OF)
        assert [entry.name for entry in results.iterdir()] == ["one.json"]


def test_a_full_disk_is_one_line_and_leaves_the_earlier_record(small_disk):
    path = records.write(small_disk / "one.json", {"value": 1}, MADE_OF)
    with pytest.raises(UserError, match=r"one\.json: cannot be written \(No space left on device\): make room there"):
        records.write(path, {"value": "x" * 100_000}, MADE_OF)
    assert records.read(path)[1] == {"value": 1}
    assert [entry.name for entry in small_disk.iterdir()] == ["one.json"]


# ------------------------------------------------------------------------------------------------------------- damaged


def damaged(path, damage):
    """Damage a whole record."""
    text = path.read_bytes()
    head, body = text.split(b"\n", 1)
    made = {
        "cut": text[: len(text) // 2],
        "empty": b"",
        "not UTF-8": text.replace(b"value", b"val\xffe"),
        "a list": b"[1, 2]",
        "deep": head + b"\n" + b'"value": ' + b"[" * 100_000,
        "another number": text.replace(b"1.5", b"1.6"),
        "provenance is a list": b'{"provenance": ["key", "inputs", "content"],\n' + body,
        "inputs are a list": text.replace(b'"inputs":{', b'"inputs":["a"],"other":{'),
        "evidence lacks its kind": text.replace(b'"kind"', b'"sort"'),
        "evidence is text": text.replace(b'"evidence":{', b'"evidence":"yes","other":{'),
    }[damage]
    assert made != text
    path.write_bytes(made)


DAMAGES = ["cut", "empty", "not UTF-8", "a list", "deep", "another number"]
DAMAGES += ["provenance is a list", "inputs are a list", "evidence lacks its kind", "evidence is text"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_one_line_with_its_file(results, damage):
    evidence = {"kind": "test", "witness": "w", "commit": "c", "agrees": True, "largest_difference": 0.1}
    path = records.write(records.path_of("one"), {"value": [1.5, 2]}, {**MADE_OF, "evidence": evidence})
    damaged(path, damage)
    assert provenance.state(path).name == "damaged"
    with pytest.raises(DataError, match=r"one\.json: ") as caught:
        provenance.load(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_run_is_left_out_of_the_results(results, damage, caplog):
    from seisbook.findings.results import current_runs

    evidence = {"kind": "test", "witness": "w", "commit": "c", "agrees": True, "largest_difference": 0.1}
    for name in ("one", "two"):
        path = records.write(results / "runs" / f"{name}.json", {"value": [1.5]}, {**MADE_OF, "evidence": evidence})
    damaged(path, damage)
    assert list(current_runs()) == ["one"]
    assert "left out: " in caplog.text
    assert "two.json" in caplog.text
