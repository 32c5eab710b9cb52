"""Which records are out of date, and what renews them."""

import pytest

from seisbook import cli, records
from seisbook.book import upkeep
from seisbook.errors import UserError
from seisbook.findings import catalogues
from seisbook.measures import splits
from seisbook.models import checkpoints
from seisbook.studies import experiments


@pytest.fixture(scope="module")
def found():
    return list(upkeep.steps())


def named(found):
    return {path: reason for step in found for path, reason in step.files.items()}


def test_every_committed_record_is_named(found):
    files = {*records.RESULTS.rglob("*.json"), *experiments.MODELS.glob("*.safetensors")}
    files.discard(experiments.MODELS / "iceland-twin-dynamic-paper.safetensors")  # a part of the record `recorded`
    assert files <= set(named(found)), sorted(files - set(named(found)))


def test_records_are_current(found):
    stale = {path.name: reason for path, reason in named(found).items() if reason and path.suffix != ".ipynb"}
    assert not stale, f"{stale}: see `make check-results`"


def test_changed_code_makes_trainings_out_of_date(monkeypatch):
    monkeypatch.setattr(checkpoints, "is_current", lambda record: False)
    step = upkeep._trainings("colombia", "time", ("dynamic",))
    assert step.outdated
    assert len(step.files) == splits.FOLDS
    assert step.command == "seisbook train --network colombia --split time --model dynamic"
    text = upkeep.report([step])
    assert "stale    data/results/runs/colombia-dynamic-time-0.json: its code" in text
    assert f"renewed by: {step.command}" in text
    assert text.endswith("5 of 5 out of date")


def test_a_missing_run_is_out_of_date():
    step = upkeep._trainings("colombia", "twin", ("gcn", "last"))
    states = {path.stem: reason for path, reason in step.files.items()}
    assert states == {"colombia-gcn-twin-0": "", "colombia-last-twin-0": "it is missing or damaged"}


def test_another_summary_makes_the_catalogues_out_of_date(monkeypatch):
    monkeypatch.setattr(checkpoints, "code_of", lambda *modules: {"statistics": "another"})
    with pytest.raises(UserError, match="seisbook data record"):
        catalogues.load_catalogues()


def test_commands_exist(found, monkeypatch):
    """Each step's command is one that the command line takes; none is carried out here."""
    for command in (command for step in found for command in step.command.split(" && ")):
        parsed = cli._parser().parse_args(command.split()[1:])
        assert callable(parsed.command)


def steps_of(*files):
    return [upkeep.Step(f"seisbook claims C{i}", {records.RESULTS / f"{i}.json": why}) for i, why in enumerate(files)]


def test_only_what_is_out_of_date_is_renewed(monkeypatch, capsys):
    done = []
    monkeypatch.setattr(upkeep, "steps", lambda: iter(steps_of("", "old", "", "old too")))
    monkeypatch.setattr(upkeep, "_carry_out", done.append)
    assert cli.main(["results", "--renew"]) == 0
    assert done == ["seisbook claims C1", "seisbook claims C3"]


def test_a_step_that_fails_stops_the_rest(monkeypatch, capsys):
    monkeypatch.setattr(upkeep, "steps", lambda: iter([upkeep.Step("seisbook claims C0", {records.RESULTS: "old"})]))
    assert cli.main(["results", "--renew"]) == 1
    assert "what was done is kept" in capsys.readouterr().err


def test_exit_code_says_whether_something_is_out_of_date(monkeypatch, capsys):
    for files, code in ((("", ""), 0), (("", "old"), 1)):
        monkeypatch.setattr(upkeep, "steps", lambda files=files: iter(steps_of(*files)))
        assert cli.main(["results", "--check"]) == code
    assert "stale    data/results/1.json: old" in capsys.readouterr().out


def test_an_unknown_record_is_refused(capsys):
    assert cli.main(["results", "--record", "attenti0n"]) == 2
    assert "models, variance" in capsys.readouterr().err
