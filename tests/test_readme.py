"""What the README promises: its commands run, its pictures are there."""

import re
import shlex

import obspy
import yaml

from seisbook import cli
from seisbook.catalogues import networks, quakeml
from seisbook.datasets import build, library
from seisbook.paths import DATA, ROOT
from seisbook.physics import simulation
from seisbook.studies import own_robust
from tests.datasets.test_build import catalogue_to_quakeml
from tests.made_up import TOY
from tests.studies.test_robust import RECIPE

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


def test_the_way_from_files_to_located_events_runs(tmp_path, monkeypatch, capsys):
    """On the files of a simulated network, by a training of the smallest size."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(own_robust.RECIPES, "paper", RECIPE)
    for module in (own_robust, library):
        monkeypatch.setattr(module, "BUILD", tmp_path / "build")
    twin = simulation.simulate(TOY, 160, 0)
    quakeml.write(twin, tmp_path / "events.xml")
    new = catalogue_to_quakeml(simulation.simulate(TOY, 4, 1))
    for event in new:
        event.origins, event.preferred_origin_id = [], None
    new.write(str(tmp_path / "new.xml"), format="QUAKEML")
    rows = [f"{one.code},{one.latitude},{one.longitude},{one.elevation_m}" for one in TOY.stations]
    (tmp_path / "stations.csv").write_text("\n".join(["code,latitude,longitude,elevation_m", *rows]))
    (_, shell), (_, more) = blocks("From files to located events")
    lines = [line for line in shell.splitlines() if "waveforms/" not in line]
    assert len(lines) == 5
    for line in lines:
        assert cli.main(shlex.split(line, comments=True)[1:]) == 0, line
    assert "range of validity" in capsys.readouterr().out
    assert len(obspy.read_events(str(tmp_path / "located.xml"), format="QUAKEML")) == 4
    *_, locate = more.splitlines()
    assert cli.main(shlex.split(locate, comments=True)[1:]) == 0
    assert list(tmp_path.glob("map*.png"))


def test_pictures_are_there_and_small():
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", README)
    assert len(pictures) == 3
    for text, path in pictures:
        assert len(text) > 20, f"{path} has no alternative text"
        assert (ROOT / path).read_bytes().startswith(b"\x89PNG")
        assert (ROOT / path).stat().st_size < 250e3
