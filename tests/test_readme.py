"""What the README promises: its commands run, its pictures are there."""

import re
import shlex

import yaml

from seisbook import cli
from seisbook.catalogues import networks
from seisbook.datasets import build
from seisbook.paths import DATA, ROOT
from tests.datasets.test_build import catalogue_to_quakeml

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(section):
    """Code blocks under a heading, as (language, text)."""
    text = re.search(rf"^## {section}\n(.*?)(?=^## )", README, re.M | re.S).group(1)
    return re.findall(r"```(\w*)\n(.*?)```", text, re.S)


def test_own_data_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    content = yaml.safe_load((DATA / "networks" / "ridgecrest.yaml").read_text())
    (tmp_path / "my_network.yaml").write_text(yaml.safe_dump(content | {"name": "my_network", "zones": []}))
    catalogue = build.read(networks.load("ridgecrest"), "simulated", 6)
    catalogue_to_quakeml(catalogue).write(str(tmp_path / "events.xml"), format="QUAKEML")
    (_, shell), (language, script) = blocks("Your own data")
    for line in shell.splitlines():
        if line.startswith("seisbook "):
            assert cli.main(shlex.split(line)[1:]) == 0, line
    assert "6 events" in capsys.readouterr().out
    assert language == "python"
    names = {}
    exec(compile(script, "README.md", "exec"), names)  # this project's own front page
    assert names["event"].x.shape[1] == 3


def test_pictures_are_there_and_small():
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", README)
    assert len(pictures) == 3
    for text, path in pictures:
        assert len(text) > 20, f"{path} has no alternative text"
        assert (ROOT / path).read_bytes().startswith(b"\x89PNG")
        assert (ROOT / path).stat().st_size < 250e3
