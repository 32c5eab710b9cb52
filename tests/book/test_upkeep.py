"""Which results are out of date, and what renews or verifies them."""

import pytest

from seisbook import cli, provenance, records
from seisbook.book import upkeep
from seisbook.book import verification as verification_module
from seisbook.measures import splits
from seisbook.models import checkpoints
from seisbook.provenance import State
from seisbook.studies import runs

CURRENT, UNVERIFIED = State("current"), State("unverified", "it was never run again")
STALE, REFUTED = State("stale", "old"), State("refuted", "it differed")


@pytest.fixture(scope="module")
def found():
    return list(upkeep.steps())


def named(found):
    return {path: state for step in found for path, state in step.files.items()}


def test_every_committed_record_is_named(found):
    files = {*records.RESULTS.rglob("*.json"), *checkpoints.MODELS.glob("*.json")} - {provenance.WITNESSES}
    assert files <= set(named(found)), sorted(files - set(named(found)))


def test_every_committed_model_has_its_card():
    stems = [{path.stem for path in checkpoints.MODELS.glob(kind)} for kind in ("*.safetensors", "*.json")]
    assert stems[0] == stems[1]


def test_no_record_is_out_of_date(found):
    old = {path.name: state for path, state in named(found).items() if state.name in upkeep.AGAIN}
    old = {name: state for name, state in old.items() if not name.endswith(".ipynb")}
    assert not old, f"{old}: see `make check-results`"


def test_every_record_was_run_again_at_some_commit(found):
    loose = []
    for path in (path for path in named(found) if path.suffix == ".json"):
        evidence = records.split(path)[0].get("evidence", {})
        if not (evidence.get("agrees") and evidence.get("commit")):
            loose.append(path.name)
    assert not loose, f"{len(loose)} records, such as {loose[0]}: `seisbook results --verify`"


def test_a_changed_configuration_makes_trainings_out_of_date(monkeypatch):
    key = runs.run_key
    monkeypatch.setattr(runs, "run_key", lambda *what: {**key(*what), "folds": 6})
    step = upkeep._trainings("colombia", "time", ("dynamic",))
    assert step.outdated
    assert len(step.files) == splits.FOLDS
    assert step.command == "seisbook train --network colombia --split time --model dynamic --force"
    lines = upkeep.report([step]).splitlines()
    reason = "its configuration has changed: folds"
    assert lines[0] == f"stale       data/results/runs/colombia-dynamic-time-0.json: {reason}"
    assert lines[-2].strip() == f"renewed by: {step.command}"
    assert lines[-1] == "5 results: 5 stale"


def test_a_changed_input_makes_trainings_out_of_date(monkeypatch):
    monkeypatch.setitem(provenance.IDENTITIES, "network", lambda name: "another")
    step = upkeep._trainings("colombia", "random", ("dynamic",))
    assert len(step.files) == splits.FOLDS + 1  # with the model of the first fold
    assert {*step.files.values()} == {State("stale", "an input has changed: network:colombia")}


def test_a_missing_run_is_to_be_made():
    step = upkeep._trainings("colombia", "twin", ("gcn", "last"))
    states = {path.stem: state for path, state in step.files.items()}
    assert states["colombia-gcn-twin-0"].name in ("current", "unverified")
    assert states["colombia-last-twin-0"] == ("missing", "there is no such file")
    assert step.outdated


def test_what_was_never_run_again_is_not_made_anew():
    step = upkeep.Step("seisbook claims", {records.RESULTS / "a.json": UNVERIFIED})
    assert not step.outdated
    text = upkeep.report([step])
    assert "unverified  data/results/a.json: it was never run again" in text
    assert "verified by: seisbook results --verify" in text
    assert "renewed by" not in text


def test_commands_exist(found):
    """Each step's command is one that the command line takes; none is carried out here."""
    for command in (command for step in found for command in step.command.split(" && ")):
        parsed = cli._parser().parse_args(command.split()[1:])
        assert callable(parsed.command)


def steps_of(*states):
    return [upkeep.Step(f"seisbook claims C{i}", {records.RESULTS / f"{i}.json": one}) for i, one in enumerate(states)]


def test_only_what_is_out_of_date_is_renewed(monkeypatch):
    done = []
    monkeypatch.setattr(upkeep, "steps", lambda: iter(steps_of(CURRENT, STALE, UNVERIFIED, REFUTED)))
    monkeypatch.setattr(upkeep, "_carry_out", done.append)
    assert cli.main(["results", "--renew"]) == 0
    assert done == ["seisbook claims C1", "seisbook claims C3"]


def test_a_step_that_fails_stops_the_rest(monkeypatch, capsys):
    steps = [upkeep.Step("seisbook claims C99", {records.RESULTS: STALE})]
    monkeypatch.setattr(upkeep, "steps", lambda: iter(steps))
    assert cli.main(["results", "--renew"]) == 1
    assert "what was done is kept" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("states", "code", "line"),
    [
        ((CURRENT, CURRENT), 0, "current     data/results/1.json"),
        ((CURRENT, STALE), 1, "stale       data/results/1.json: old"),
        ((CURRENT, UNVERIFIED), 1, "unverified  data/results/1.json: it was never run again"),
        ((CURRENT, REFUTED), 1, "refuted     data/results/1.json: it differed"),
    ],
)
def test_exit_code_says_whether_all_is_current(monkeypatch, capsys, states, code, line):
    monkeypatch.setattr(upkeep, "steps", lambda: iter(steps_of(*states)))
    assert cli.main(["results", "--check"]) == code
    assert line in capsys.readouterr().out.splitlines()


def kind(tmp_path, name, evidence):
    path = records.write(tmp_path / f"{name}.json", {}, provenance.provenance({"stage": "test"}, {}, evidence))
    return verification_module.Kind(name, [path], [], None, None, 0.1)


@pytest.mark.parametrize(("agrees", "code"), [(True, 0), (False, 1)])
def test_what_is_unverified_or_refuted_is_verified(monkeypatch, capsys, tmp_path, agrees, code):
    bad = {"kind": "b", "witness": "", "commit": "abc1234", "agrees": False, "largest_difference": 0.5}
    kinds = [kind(tmp_path, "a", None), kind(tmp_path, "b", bad), kind(tmp_path, "c", {**bad, "agrees": True})]
    monkeypatch.setattr(provenance, "moved_code", lambda kind, before: "")
    monkeypatch.setattr(verification_module, "kinds", lambda: kinds)
    seen = []

    def run_again(kinds, progress):
        seen.extend(kind.name for kind in kinds)
        return [verification_module.Outcome(kind.name, 0.1, largest=0.0 if agrees else 0.2) for kind in kinds]

    monkeypatch.setattr(verification_module, "verify", run_again)
    assert cli.main(["results", "--verify"]) == code
    assert seen == ["a", "b"]
    assert capsys.readouterr().out.count("agrees" if agrees else "REFUTED") == 2
    assert cli.main(["results", "--verify", "c"]) == code
    assert seen == ["a", "b", "c"]


def test_an_unknown_kind_is_refused(capsys):
    assert cli.main(["results", "--verify", "study/nothing"]) == 2
    assert "no kind of results 'study/nothing': choose among data, twin, run/ours" in capsys.readouterr().err


def test_an_unknown_record_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234")
    assert cli.main(["results", "--record", "attenti0n"]) == 2
    assert "models, variance" in capsys.readouterr().err
