import json

import pytest

from seisbook.cli import main
from seisbook.datasets import build
from seisbook.models import checkpoints

MODEL = str(checkpoints.MODELS / "ridgecrest-robust-random-0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("lines") / "new"
    build.build("ridgecrest", "simulated", path, n_events=7, random_state=5, progress=False)
    return str(path)


def _read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_goes_on_where_it_was_killed(folder, tmp_path, capsys):
    whole, stopped = tmp_path / "whole.jsonl", tmp_path / "stopped.jsonl"
    assert main(["locate", folder, "--model", MODEL, "--lines", str(whole)]) == 0
    lines = whole.read_text().splitlines(keepends=True)
    assert len(lines) == 7
    stopped.write_text("".join(lines[:3]) + lines[3][:40])
    assert main(["locate", folder, "--model", MODEL, "--lines", str(stopped)]) == 0
    assert "4 events located" in capsys.readouterr().err
    assert stopped.read_text().splitlines(keepends=True)[:3] == lines[:3]
    for one, other in zip(_read(stopped), _read(whole), strict=True):
        assert one["source_id"] == other["source_id"]
        assert one["latitude"] == pytest.approx(other["latitude"], abs=1e-3)
        assert one["model"].startswith("ridgecrest-robust-random-0 ")
    assert main(["locate", folder, "--model", MODEL, "--lines", str(stopped)]) == 0
    assert "0 events located" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"source_id": "a", "model": "other 0"}\n', "begun with another model, other 0"),
        ("event,latitude\n", "holds other lines"),
        ('["source_id"]\n', "holds other lines"),
        ("one line of notes", "holds other lines"),
    ],
)
def test_other_files_are_left_alone(content, said, folder, tmp_path, capsys):
    path = tmp_path / "other.jsonl"
    path.write_text(content)
    assert main(["locate", folder, "--model", MODEL, "--lines", str(path)]) == 2
    assert said in capsys.readouterr().err
    assert path.read_text() == content


def test_lines_go_alone(folder, tmp_path, capsys):
    words = ["--lines", str(tmp_path / "x.jsonl"), "--quakeml", str(tmp_path / "x.xml")]
    assert main(["locate", folder, "--model", MODEL, *words]) == 2
    assert "--lines goes without" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
