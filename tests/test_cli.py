import subprocess
import sys

import pytest

from seisbook import cli


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
