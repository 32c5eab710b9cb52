"""Running results again: which trials, what is compared, and what is stamped; with small made-up kinds of results."""

import os
import pickle
import time
from functools import partial
from pathlib import Path

import nbformat
import pytest

from seisbook import files, provenance, records
from seisbook.book import chapters, verification
from seisbook.errors import UserError
from seisbook.measures import splits

# ------------------------------------------------------------------------------ the kind, whose functions run elsewhere
# A result is a number that a fold of a seed gives; a trial says in which folder its record is.

NAMED = "file:registry.txt"


def number(seed):
    return float(splits.random_folds(10, 2, seed)[0][1].sum())


def prepare(trial):
    with Path(trial["folder"], "prepared").open("a") as file:
        print(os.getpid(), file=file)


def again(trial, loads=()):
    prepared = Path(trial["folder"], "prepared")
    if not prepared.exists():
        raise UserError("prepare it first")
    assert str(os.getpid()) not in prepared.read_text().split(), "a cache of what prepared it would hide calls"
    time.sleep(0.06)
    for name in (NAMED, *loads):
        provenance.note(name, provenance.identity(NAMED))
    recorded = records.read(Path(trial["folder"], trial["file"]))[1]["numbers"][str(trial["seed"])]
    return {"first": recorded}, {"first": number(trial["seed"])}


def kind(folder, name="test/one", files=("a.json", "b.json"), factor=1.0, seeds=range(6), **changes):
    """A kind of two records, whose numbers differ from what comes out by a factor."""
    paths = []
    for file in files:
        numbers = {str(seed): factor * number(seed) for seed in seeds}
        made_of = provenance.provenance(provenance.key("test", file=file), {NAMED: provenance.identity(NAMED)})
        paths.append(records.write(folder / file, {"numbers": numbers}, made_of, indent=1))
    trials = [{"file": file, "seconds": seed, "seed": seed, "folder": str(folder)} for file in files for seed in seeds]
    return verification.Kind(name, paths, trials, prepare, changes.get("again", again), changes.get("tolerance", 0.001))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A file of witnesses of its own; whatever is written outside of the tests' folders is an error."""
    folder, write = tmp_path_factory.mktemp("witnesses"), files.write_whole

    def guarded(path, content):
        assert Path(path).is_relative_to(folder.parent), f"{path} would be overwritten"
        return write(path, content)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "write_whole", guarded)
        patch.setattr(provenance, "code_version", lambda: "abc1234")
        for module in (provenance, verification):
            patch.setattr(module, "WITNESSES", folder / "witness.json")
        provenance.forget_witnesses()
        yield folder
    provenance.forget_witnesses()


@pytest.fixture
def folder(own, tmp_path):
    return tmp_path


def evidence(path):
    return records.split(path)[0].get("evidence")


# ------------------------------------------------------------------------------------------------------------- sampling


@pytest.mark.parametrize(("files", "expected"), [(1, [2]), (2, [1, 1]), (3, [1, 1, 1])])
def test_a_sample_has_one_trial_of_each_file_and_at_least_two(folder, files, expected):
    chosen = verification.sample(kind(folder, files=[f"{i}.json" for i in range(files)]))
    counts = {}
    for trial in chosen:
        counts[trial["file"]] = counts.get(trial["file"], 0) + 1
    assert list(counts.values()) == expected
    assert len({(trial["file"], trial["seed"]) for trial in chosen}) == len(chosen)


def test_a_sample_is_seeded_and_from_the_quicker_half(folder):
    one = kind(folder, seeds=range(40))
    assert verification.sample(one) == verification.sample(one)
    others = [verification.sample(one, seed) for seed in range(10)]
    assert len({str(chosen) for chosen in others}) > 5
    assert {trial["seconds"] <= 19.5 for chosen in others for trial in chosen} == {True}


def test_a_file_of_one_trial_gives_that(folder):
    assert [trial["seed"] for trial in verification.sample(kind(folder, files=["a.json"], seeds=[3]))] == [3]


# ------------------------------------------------------------------------------------------------------------ comparing


@pytest.mark.parametrize(
    ("recorded", "found", "difference"),
    [
        (2.0, 2.0, 0),
        (2.0, 1.0, 0.5),
        (1.0, 2.0, 0.5),
        (0.0, 0.0, 0),
        (1.0, None, float("inf")),
        (1.0, float("nan"), float("inf")),
        (float("nan"), 1.0, float("inf")),
        (float("nan"), float("nan"), 0),
    ],
)
def test_numbers_differ_relatively(recorded, found, difference):
    assert verification._difference(recorded, found) == difference


def test_all_numbers_of_a_record_are_compared_by_their_place():
    content = {"a": [1, {"b": 2.5, "c": "text", "d": True, "e": None}], "long": [float(i - 10) for i in range(21)]}
    assert verification._numbers(content) == {"/a/0": 1.0, "/a/1/b": 2.5, "/long:50": 5.0, "/long:90": 9.0}


def test_an_outcome_keeps_the_largest_difference_and_where_it_was():
    outcome = verification.Outcome("test", 0.1)
    outcome.add({"file": "a", "seconds": 1, "seed": 0}, {"x": 1.0, "y": 2.0}, {"x": 1.01, "y": 2.5, "z": 9.0})
    assert outcome.trials == [{"seed": 0}]
    assert (outcome.largest, outcome.where) == (0.2, "y: 2, now 2.5")
    assert not outcome.agrees
    assert "REFUTED" in verification.report([outcome])


# ------------------------------------------------------------------------------------------------------------- stamping


def test_what_comes_out_again_stamps_all_files_of_its_kind(folder, caplog):
    one = kind(folder)
    before = [records.split(path)[1] for path in one.files]
    assert [provenance.state(path).name for path in one.files] == ["unverified"] * 2
    (outcome,) = verification.verify([one], progress=False)
    assert outcome.agrees
    assert "agrees" in verification.report([outcome])
    sampled = [{"seed": trial["seed"], "folder": str(folder)} for trial in verification.sample(one)]
    known = provenance.witnesses()["test/one"]
    assert "seisbook.measures.splits:random_folds" in known["reached"]
    assert "numpy" in known["packages"]
    for path in one.files:
        said = evidence(path)
        assert (said["kind"], said["commit"], said["agrees"]) == ("test/one", "abc1234", True)
        assert (said["trials"], said["largest_difference"], said["tolerance"]) == (sampled, 0.0, 0.001)
        assert said["seconds"] == outcome.seconds >= 0.1
        assert said["witness"] == provenance.witness_hash(known["table"], known["packages"])
        assert provenance.state(path) == ("current", "")
    assert [records.split(path)[1] for path in one.files] == before
    assert "test/one: prepare it first" in caplog.text
    pids = (folder / "prepared").read_text().split()
    assert len(pids) == len(sampled)
    assert str(os.getpid()) not in pids


def test_what_is_there_is_not_prepared_again(folder, monkeypatch):
    calls = []
    monkeypatch.setattr(verification, "_apart", lambda function, *given: calls.append(function) or function(*given))
    (folder / "prepared").touch()
    one = kind(folder)
    assert verification.run_again(one, verification.sample(one)).agrees
    assert calls == [verification._run_traced]


def test_what_does_not_come_out_again_is_refuted(folder, monkeypatch):
    one = kind(folder, "test/two", factor=1.25)
    (folder / "prepared").touch()
    monkeypatch.setattr(verification, "run_again", verification._run_traced)  # here: a process of its own takes seconds
    (outcome,) = verification.verify([one], progress=False)
    assert "REFUTED" in verification.report([outcome])
    for path in one.files:
        assert (evidence(path)["agrees"], evidence(path)["largest_difference"]) == (False, 0.2)
        assert provenance.state(path) == ("refuted", "run again at abc1234, it differed by 0.2")


def outcome_of(one, largest=0.0, reached=("seisbook.measures.splits:random_folds",)):
    return verification.Outcome(one.name, one.tolerance, [{"seed": 0}], largest, "", 1.0, [], set(reached))


def test_code_that_moves_after_the_stamp_makes_its_records_unverified(folder, monkeypatch):
    one = kind(folder)
    verification.stamp(one, outcome_of(one), "abc1234")
    path = one.files[0]
    assert provenance.state(path).name == "current"
    known = provenance.witnesses()[one.name]
    moved = {**known["table"], "seisbook.measures.splits:random_folds": "0" * 12}
    monkeypatch.setattr(provenance, "_now", lambda kind: (moved, known["packages"]))
    reason = "code that it was made with has changed: measures.splits:random_folds"
    assert provenance.state(path) == ("unverified", reason)


def test_another_run_that_reached_other_code_replaces_the_witness(folder):
    one = kind(folder)
    for reached in (["seisbook.measures.splits:random_folds"], ["seisbook.measures.splits:folds"]):
        verification.stamp(one, outcome_of(one, reached=reached), "abc1234")
        assert provenance.witnesses()[one.name]["reached"] == reached
        assert [provenance.state(path).name for path in one.files] == ["current"] * 2


def test_what_was_refuted_is_current_once_it_comes_out_again(folder):
    one = kind(folder)
    for largest, state in ((0.5, "refuted"), (0.0, "current")):
        verification.stamp(one, outcome_of(one, largest), "abc1234")
        assert provenance.state(one.files[1]).name == state


def test_a_damaged_record_gets_no_stamp(folder, caplog):
    one = kind(folder)
    damaged, whole = one.files
    damaged.write_text(damaged.read_text().replace('"0": ', '"0": 9'))
    before = damaged.read_bytes()
    verification.stamp(one, outcome_of(one), "abc1234")
    assert damaged.read_bytes() == before
    assert f"{damaged}: not stamped: " in caplog.text
    assert (provenance.state(damaged).name, provenance.state(whole).name) == ("damaged", "current")


def test_a_stale_record_gets_no_stamp(folder, caplog):
    one = kind(folder)
    stale, other = one.files
    kept, _ = records.split(stale)
    records.restamp(stale, {**kept, "inputs": {NAMED: "another"}})
    verification.stamp(one, outcome_of(one), "abc1234")
    assert evidence(stale) is None
    assert f"{stale}: not stamped: an input has changed: {NAMED}" in caplog.text
    assert (provenance.state(stale).name, provenance.state(other).name) == ("stale", "current")


def test_an_input_that_the_record_does_not_name_is_reported_and_refuses_the_stamp(folder):
    one = kind(folder, again=partial(again, loads=["file:other.txt"]))
    (folder / "prepared").touch()
    outcome = verification._run_traced(one, verification.sample(one))
    assert (outcome.largest, outcome.agrees) == (0.0, False)
    assert "loads what the record does not name: file:other.txt" in verification.report([outcome])
    verification.stamp(one, outcome, "abc1234")
    reason = "run again at abc1234, it loaded file:other.txt, which it does not name"
    assert [provenance.state(path) for path in one.files] == [("refuted", reason)] * 2


def test_an_input_of_another_content_than_the_record_names_counts_as_another(folder):
    one = kind(folder)
    for path in one.files:
        records.restamp(path, {**records.split(path)[0], "inputs": {NAMED: "another"}})
    (folder / "prepared").touch()
    assert set(verification._run_traced(one, verification.sample(one)).unnamed) == {NAMED}


def test_nothing_is_verified_while_code_has_changed(folder, monkeypatch):
    one = kind(folder)
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234+")
    with pytest.raises(UserError, match="commit first"):
        verification.verify([one], progress=False)
    assert [evidence(path) for path in one.files] == [None, None]


# -------------------------------------------------------------------------------------------------------- real kinds


@pytest.fixture(scope="module")
def kinds():
    return verification.kinds()


def test_every_published_result_is_of_one_kind(kinds):
    assert len({one.name for one in kinds}) == len(kinds)
    files = [path for one in kinds for path in one.files]
    assert len(files) == len(set(files))
    assert {*verification.published(), *records.RESULTS.glob("*.json"), *chapters.chapters()} - {
        records.RESULTS / "witness.json"
    } == set(files)


def test_every_kind_has_trials_and_can_be_sent_to_another_process(kinds):
    for one in kinds:
        pickle.loads(pickle.dumps(one))
        names = {path.name for path in one.files} | {path.stem for path in one.files} | {""}
        assert {trial["file"] for trial in one.trials} <= names, one.name
        assert verification.sample(one), one.name
        assert 0 < one.tolerance <= provenance.RETRAINED


# ----------------------------------------------------------------------------------------------------------- chapters


def test_a_chapter_is_published_with_its_evidence_and_comes_out_again(folder, monkeypatch):
    cells = ["seed = 0  # of all", "from seisbook.measures import splits\nlen(splits.random_folds(10, 2))"]
    cells = [nbformat.v4.new_code_cell(source) for source in cells]
    cells[0].metadata["tags"] = ["parameters"]
    cells[0].source = 'profile = "paper"  # size\n' + cells[0].source
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = folder / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)
    monkeypatch.setattr(chapters, "BUILD", folder / "_build")
    monkeypatch.setattr(chapters, "BOOK", folder)
    monkeypatch.setattr(chapters, "chapters", lambda: [path])
    monkeypatch.setattr(chapters.sources, "is_available", lambda network: True)
    verification.publish(path)
    assert chapters.state(path) == ("current", "")
    assert chapters.origin(path)["evidence"]["commit"] == "abc1234"
    assert "seisbook.measures.splits:random_folds" in provenance.witnesses()["chapter/a"]["reached"]
    (one,) = verification.chapter_kinds()
    assert verification.run_again(one, one.trials).agrees
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chapters, "printed", lambda notebook: {"a": 2.0 if notebook == path else 2.2})
        outcome = verification.run_again(one, one.trials)
    verification.stamp(one, outcome, "abc1234")
    assert chapters.state(path).name == "refuted"
