"""What moves a witness and what does not, and the states of records."""

import ast
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from seisbook import provenance, records, witness
from seisbook.catalogues import networks
from seisbook.errors import DataError, UserError
from seisbook.paths import ROOT
from tests import structure

INNOCENT = {
    "rename a local variable": ("models/graph.py", r"\blargest\b(?!=)", "highest"),
    "reword an error message": (
        "models/training.py",
        r"the loss diverged: lower",
        "the loss has diverged: try a lower",
    ),
    "add a function that nobody calls": ("catalogues/networks.py", r"\Z", "\n\ndef unused(x):\n    return x + 1\n"),
    "another docstring": ("measures/evaluation.py", r'"""Errors of located events, whatever located them', '"""Errors'),
    "another comment": ("models/losses.py", r"\ndef onset_loss", "\n# A comment.\ndef onset_loss"),
    "another annotation": ("measures/evaluation.py", r"source_id\) -> pd.DataFrame:", "source_id):"),
    "another bound on what a network's file may say": ("catalogues/schema.py", "le=9000", "le=8900"),
    "another reader of lists of shaken stations": (
        "catalogues/station_lists.py",
        r"(?m)^    return ",
        "    print(1)\n    return ",
    ),
    "another way to store weights": ("files.py", "0o644", "0o600"),
    "another label of a progress bar": ("models/training.py", r'unit="epoch"', 'unit="round"'),
}
GUILTY = {
    "train on the test fold": (
        "measures/splits.py",
        r"\(order\[train\], order\[test\]\)",
        "(order, order[test])",
        "run/",
    ),
    "double every epicentral error": (
        *("measures/evaluation.py", r"epicentral = np\.hypot", "epicentral = 2 * np.hypot"),
        "run/ study/robustness study/transfer",
    ),
    "drop pre-training": ("studies/runs.py", r", start_from=start_from\)", ")", "run/ours run/peers"),
    "95 % intervals become 50 %": ("measures/estimates.py", r"\(2\.5, 97\.5\)", "(25, 75)", "record/"),
    "another learning rate": ("studies/variance.py", r"learning_rate=3e-3", "learning_rate=1e-3", "study/variance"),
    "another default": (
        "models/augmentation.py",
        r"station_dropout: float = 0\.15",
        "station_dropout: float = 0.5",
        "twin",
    ),
    "magnitudes without a bound": ("models/graph.py", r"\.clamp\(-6, 2\)", "", "run/ours twin"),
    "another arm": ("studies/ablations.py", r'"graph": "static"', '"graph": "none"', "study/ablations"),
}


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """A function that edits a copy of the library, and says which kinds of results that moves."""
    copy = tmp_path_factory.mktemp("copy") / "seisbook"
    shutil.copytree(witness.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def moved(file, pattern, text):
        path = copy / file
        before = path.read_text(encoding="utf-8")
        after, count = re.subn(pattern, text, before)
        assert count, f"{file} has no {pattern}: the test edits nothing"
        path.write_text(after, encoding="utf-8")
        try:
            source = witness.Source(copy)
            kinds = provenance.witnesses()
            return {kind for kind, known in kinds.items() if source.table(known["reached"]) != known["table"]}
        finally:
            path.write_text(before, encoding="utf-8")

    return moved


def test_every_kind_of_result_has_a_witness():
    kinds = set(provenance.witnesses())
    assert {"data", "twin", "run/ours", "run/peers", "run/classical", "study/variance", "record/models"} <= kinds


@pytest.mark.parametrize("edit", INNOCENT)
def test_an_innocent_edit_moves_nothing(edited, edit):
    assert edited(*INNOCENT[edit]) == set()


@pytest.mark.parametrize("edit", GUILTY)
def test_a_guilty_edit_is_caught(edited, edit):
    *change, expected = GUILTY[edit]
    moved = edited(*change)
    for start in expected.split():
        assert any(kind.startswith(start) for kind in moved), f"{start} among {sorted(moved)}"


# -------------------------------------------------------------------------------------------------------------- tracing


def test_a_trace_names_what_was_called_and_not_what_a_stage_called():
    from seisbook.measures import splits

    with witness.traced(set()) as reached:
        splits.random_folds(10, 2)
    assert {"seisbook.measures.splits:random_folds", "seisbook.measures.splits:_folds"} <= reached
    with witness.traced({splits.random_folds.__code__}) as reached:
        splits.random_folds(10, 2)
    assert not reached


def test_a_table_follows_constants_and_functions_that_were_not_called():
    table = witness.source().table(["seisbook.studies.ablations:_trained"])
    assert {"seisbook.studies.ablations:MODEL_ARMS", "seisbook.studies.ablations:_rendered_again"} <= set(table)
    assert table["seisbook.datasets.library:load_events"] == "stage"
    assert not any(name.startswith("seisbook.datasets.build") for name in table)


def test_a_function_that_is_gone_has_no_hash():
    assert (
        witness.source().table(["seisbook.models.graph:GraphModel.nothing"])["seisbook.models.graph:GraphModel.nothing"]
        == ""
    )


# --------------------------------------------------------------------------------------------------------------- states


@pytest.fixture
def record(tmp_path):
    key = provenance.key("test", value=1)
    return records.write(tmp_path / "one.json", {"value": 1.5}, provenance.provenance(key, {}), indent=1)


def with_evidence(path, **changes):
    kind, known = next(iter(provenance.witnesses().items()))
    evidence = {"kind": kind, "witness": provenance.witness_hash(known["table"], known["packages"])}
    evidence |= {"commit": "abc1234", "agrees": True, "largest_difference": 0.5} | changes
    kept, _ = records.split(path)
    return records.restamp(path, {**kept, "evidence": evidence})


def test_a_record_that_was_never_run_again_is_unverified(record):
    assert provenance.state(record).name == "unverified"


def test_a_record_with_evidence_is_current(record):
    assert provenance.state(with_evidence(record)) == ("current", "")


def test_a_record_whose_code_has_moved_is_unverified(record):
    state = provenance.state(with_evidence(record, witness="0" * 16))
    assert state.name == "unverified"


def test_a_record_that_did_not_come_out_again_is_refuted_and_says_so(record, caplog):
    with_evidence(record, agrees=False)
    assert provenance.state(record).name == "refuted"
    assert provenance.load(record)["state"] == "refuted"
    assert "refuted" in caplog.text


def test_a_changed_configuration_makes_a_record_stale(record):
    state = provenance.state(record, provenance.key("test", value=2))
    assert state == ("stale", "its configuration has changed: value")
    with pytest.raises(UserError, match="stale"):
        provenance.load(record, provenance.key("test", value=2))


def test_a_moved_input_makes_a_record_stale(tmp_path):
    inputs = {"network:colombia": "another"}
    path = records.write(tmp_path / "one.json", {"value": 1}, provenance.provenance({"stage": "test"}, inputs))
    assert provenance.state(path) == ("stale", "an input has changed: network:colombia")


def test_an_input_that_is_not_here_moves_nothing(tmp_path):
    inputs = {"file:not/here.txt": "content"}
    path = records.write(tmp_path / "one.json", {"value": 1}, provenance.provenance({"stage": "test"}, inputs))
    assert provenance.state(path).name == "unverified"


def test_a_digit_changed_by_hand_is_noticed(record):
    record.write_text(record.read_text().replace("1.5", "1.4"))
    assert provenance.state(record).name == "damaged"
    with pytest.raises(DataError, match="damaged"):
        provenance.load(record)


def test_the_commits_of_all_evidence_are_in_the_history():
    if not (ROOT / ".git").exists() or (ROOT / ".git" / "shallow").exists():
        pytest.skip("the whole history is not here")
    paths = [path for path in records.RESULTS.rglob("*.json") if path.stem != "witness"]
    commits = {records.split(path)[0].get("evidence", {}).get("commit") for path in paths} - {None}
    assert commits
    history = provenance._git("log", "--format=%h").split()
    assert {commit[:7] for commit in commits} <= {commit[:7] for commit in history}


# --------------------------------------------------------------------------------------------------------------- inputs


def test_what_is_loaded_is_noted_also_when_it_was_remembered():
    @provenance.remember
    def load(name):
        provenance.note(f"file:{name}", "content")
        return name

    for _ in range(2):
        with provenance.watched() as inputs:
            load("one")
        assert inputs == {"file:one": "content"}
    with provenance.watched() as inputs, provenance.unwatched():
        load("one")
    assert inputs == {}


def test_a_network_is_what_its_file_says_not_how_it_is_written(tmp_path):
    text = (ROOT / "data" / "networks" / "ridgecrest.yaml").read_text(encoding="utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    before = networks.content(path)
    path.write_text("# a comment\n" + text)
    assert networks.content(path) == before == provenance.identity("network:ridgecrest")
    path.write_text(text.replace("vp_vs:", "vp_vs: 2.0 #"))
    assert networks.content(path) != before
    path.write_text("[")
    assert networks.content(path) == "unreadable"
    assert networks.content(tmp_path / "none.yaml") is None


def test_data_are_known_again_but_for_their_last_digits():
    arrays = {"x": np.linspace(1, 2, 50, dtype="float32"), "name": np.array(["a", "b"])}
    sizes, sums = json.loads(json.dumps(provenance.Fingerprint.of(arrays)))
    nearly = {**arrays, "x": np.nextafter(arrays["x"], np.float32(9))}
    assert provenance.digest_arrays(nearly) != provenance.digest_arrays(arrays)
    assert provenance.Fingerprint.of(nearly).alike(sizes, sums)
    for other in ({**arrays, "x": arrays["x"] * 1.001}, {**arrays, "name": np.array(["a", "c"])}):
        assert not provenance.Fingerprint.of(other).alike(sizes, sums)


def test_a_tolerance_bounds_quantiles_and_single_events():
    errors = np.linspace(1, 10, 100)
    assert provenance.SAME_WEIGHTS.holds(errors, errors * 1.005)
    assert not provenance.SAME_WEIGHTS.holds(errors, errors * 1.02)
    moved = errors.copy()
    moved[:2] *= 1.5
    assert not provenance.SAME_WEIGHTS.holds(errors, moved)
    moved = errors.copy()
    moved[:1] *= 1.5
    assert provenance.SAME_WEIGHTS.holds(errors, moved)


def test_nothing_is_published_while_code_has_changed(monkeypatch):
    monkeypatch.setattr(
        provenance, "_git", lambda *arguments: {"rev-parse": "abc1234"}.get(arguments[0], " M seisbook/x.py")
    )
    with pytest.raises(UserError, match="commit first"):
        provenance.committed()
    assert provenance.code_version() == "abc1234+"


def test_the_package_folder_is_found():
    assert Path(witness.PACKAGE, "provenance.py").is_file()


def test_whoever_asks_for_a_state_can_tell_the_identity_of_a_network():
    """`seisbook.catalogues.networks` tells it, and is imported by all who judge."""
    modules, asking = structure.read(), {"load", "state", "judge", "identity"}
    judges = {
        module.name
        for module in modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "provenance" and node.attr in asking
    }
    assert len(judges) >= 8
    for name in judges:
        reached, waiting = set(), {name}
        while waiting:
            reached |= waiting
            waiting = set().union(*(modules[one].imports for one in waiting if one in modules)) - reached
        assert "seisbook.catalogues.networks" in reached, f"{name} does not import it"
