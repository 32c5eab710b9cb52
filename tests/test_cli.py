import os
import re
import shlex
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from seisbook import cli, provenance, records
from seisbook.paths import DATA


def test_build_and_info(tmp_path, capsys):
    out = tmp_path / "twin"
    arguments = ["data", "build", "--network", "ridgecrest", "--source", "simulated", "--events", "5"]
    assert cli.main([*arguments, "--out", str(out)]) == 0
    built = capsys.readouterr().out
    assert cli.main(["data", "info", str(out)]) == 0
    assert capsys.readouterr().out == built
    assert "5 events" in built


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data", "info", "nowhere"], "nowhere: not a SeisBook dataset"),
        (["data", "build", "--network", "x", "--source", "simulated", "--out", "o"], "no network 'x'"),
        (["data", "fetch", "--network", "x"], "no real data for the network 'x'"),
        (["book", "run", "--chapter", "99"], "no chapter '99'"),
        (["train", "--network", "my.yaml", "--fold", "0", "--force"], "my.yaml: --fold, --force: for shipped networks"),
    ],
)
def test_mistakes_are_one_line_and_exit_with_two(arguments, message, capsys):
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("seisbook: ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("arguments", [["data", "build"], ["nothing"], []])
def test_wrong_usage_exits_with_two(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: seisbook" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"), [("--events", "0"), ("--events", "ten"), ("--jobs", "0"), ("--seed", "-1")]
)
def test_counts_are_whole_numbers(option, value, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["data", "build", "--network", "x", "--source", "simulated", "--out", "o", f"{option}={value}"])
    assert caught.value.code == 2
    assert f"{value}: give a whole number of at least" in capsys.readouterr().err


def test_failures_exit_with_one(tmp_path, monkeypatch, capsys):
    from seisbook.datasets import build

    def fail(*args, **kwargs):
        raise RuntimeError("the machine\nis on fire")

    monkeypatch.setattr(build, "build", fail)
    assert cli.main(["data", "build", "--network", "x", "--source", "simulated", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "seisbook: the machine is on fire\n"


def test_help_teaches_by_example():
    command = [sys.executable, "-m", "seisbook.cli", "data", "build", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "seisbook data build --network colombia --source bulletin --out" in text
    assert "same seed, same bytes" in text


def test_help_is_quick_because_nothing_heavy_is_imported():
    script = (
        "import sys, seisbook.cli; print([m for m in ('torch', 'obspy', 'seisbench', 'pandas') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


# ---------------------------------------------------------------------------------------------- reading never writes


class Watch:
    """What was opened for writing, made, moved or removed in `data` while it was on; Python keeps audit hooks."""

    def __init__(self):
        self.on, self.written = False, []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        if self.on and event in ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate"):
            paths = [os.fspath(one) for one in arguments[:2] if isinstance(one, (str, os.PathLike))]
            writes = event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            self.written += [path for path in paths if writes and path.startswith(str(DATA))]


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture
def nothing_written(watch):
    watch.on, watch.written = True, []
    yield
    watch.on = False
    assert watch.written == []


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_text("1"),
        lambda path: path.open("a"),
        lambda path: os.open(path, os.O_WRONLY),
        lambda path: path.unlink(),
        lambda path: path.mkdir(),
        lambda path: os.replace(path, path.with_name("other")),
    ],
)
def test_what_is_written_is_seen(watch, write):
    path = DATA / "nowhere" / "one.json"
    watch.on, watch.written = True, []
    with pytest.raises(FileNotFoundError):
        write(path)
    watch.on = False
    assert str(path) in watch.written


@pytest.mark.parametrize(
    "arguments", [["results"], ["results", "--json"], ["results", "--check"], ["claims"], ["claims", "C4", "--json"]]
)
def test_reading_results_writes_nothing(nothing_written, capsys, arguments):
    assert cli.main(arguments) in (0, 1)
    assert capsys.readouterr().out


def test_evaluating_a_published_model_writes_nothing(nothing_written, dataset, capsys):
    checkpoint = str(DATA / "models" / "ridgecrest-dynamic-random-0")
    assert cli.main(["evaluate", checkpoint, "--dataset", str(dataset.waveforms.path)]) == 0
    out = capsys.readouterr().out
    assert "epicent" in out
    assert out.splitlines()[-1].startswith("amplitudes "), "how many were predicted from the label is not said"


def test_reading_what_chapters_read_writes_nothing(nothing_written):
    from seisbook.book import chapters
    from seisbook.findings import summaries
    from seisbook.studies import runner

    for name in summaries.SUMMARIES:
        assert summaries.load(name)["state"] in provenance.STATES
    for path in sorted((records.RESULTS / "studies").glob("*-paper.json")):
        name, network, source, profile = path.stem.rsplit("-", 3)
        assert runner.read(name, network, source, profile)
    for path in chapters.chapters():
        chapters.state(path)


@pytest.fixture
def no_models(tmp_path, monkeypatch):
    """A machine on which no model of a twin is, and a small twin to ask in."""
    from seisbook.datasets import library
    from seisbook.findings import asking, text_search
    from seisbook.models import checkpoints
    from seisbook.studies import alignment, pretraining

    monkeypatch.setattr(checkpoints, "MODELS", tmp_path / "models")
    monkeypatch.setattr(asking, "PUBLISHED", tmp_path / "published")
    for module in (library, pretraining, text_search):
        monkeypatch.setattr(module, "BUILD", tmp_path)
    monkeypatch.setitem(alignment.SIMULATED, "paper", 12)
    alignment.corpus.cache_clear()
    return tmp_path


def test_asking_makes_no_model_and_says_what_makes_it(nothing_written, no_models, capsys):
    assert cli.main(["ask", "deep", "--network", "colombia", "--source", "simulated"]) == 2
    message = capsys.readouterr().err
    assert "colombia-twin-dynamic-paper.safetensors: there is no such file: make it with" in message
    (command,) = re.findall("`(.+)`", message)
    assert command == "seisbook train --network colombia --split twin --model dynamic --profile paper"
    assert cli._parser().parse_args(shlex.split(command)[1:]).split == "twin"
    assert not list(no_models.iterdir()), "something was built for a model that is not there"


def test_asking_keeps_its_index_outside_of_data(nothing_written, no_models, monkeypatch, capsys):
    from seisbook.findings import text_search
    from seisbook.studies import alignment

    made = []
    index = SimpleNamespace(
        save=lambda path: path.parent.mkdir(parents=True),
        ask=lambda *_: np.array([0.9]),
        table=lambda *_, n: pd.DataFrame({"event": ["found"], "class": ["deep_nest"], "text": ["del nido"]}),
        texts=np.array(["del nido"]),
        classes=np.array(["deep_nest"]),
    )
    monkeypatch.setattr(alignment, "corpus", lambda *where: where)
    monkeypatch.setattr(text_search.Index, "build", lambda given: made.append(given) or index)
    assert cli.main(["ask", "deep", "--network", "colombia", "--source", "simulated"]) == 0
    printed = capsys.readouterr()
    assert "found" in printed.out
    assert "Precision: 100%. Of the 1 events found, 1 are of the class deep nest." in printed.out
    assert "warning: only one event is of the class deep nest" in printed.err
    assert made == [("colombia", "simulated", "paper")]
    assert [path.name for path in no_models.iterdir()] == ["asking"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "."], "'.': give the path of a file"),
        (["evaluate", ""], "give the path of a file"),
        (["evaluate", "/"], "give the path of a file"),
        (["data", "build", "--network", "", "--source", "simulated", "--out", "x"], "no network ''"),
        (
            [*["data", "build", "--network", "iceland", "--source", "simulated", "--out", "x", "--seed"], "9" * 5000],
            "give a whole number",
        ),
    ],
)
def test_what_is_typed_wrongly_is_refused_in_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = cli.main(arguments)
    except SystemExit as error:
        code = error.code
    said = capsys.readouterr().err
    assert code == 2
    assert message in said.strip().splitlines()[-1]
    assert not list(tmp_path.iterdir())
