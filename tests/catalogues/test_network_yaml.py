"""Descriptions as text: what is written is what is read, whatever YAML would take a name for."""

from dataclasses import replace

import pytest

from seisbook.catalogues import networks
from seisbook.catalogues.network_yaml import item, text, to_yaml
from tests.made_up import TOY


@pytest.mark.parametrize("word", ["NO", "01", "1e5", "null", "a: b", 'say "so"', "# none", "Colombia (RSNC)", "é"])
def test_a_word_comes_back_as_it_was(tmp_path, word):
    stations = [
        replace(one, latitude=round(one.latitude, 4), longitude=round(one.longitude, 4)) for one in TOY.stations
    ]
    named = replace(TOY, title=word, reference=word, stations=stations)
    if word in ("NO", "01"):
        named = replace(
            named, stations=[replace(one, network=word, code=f"{word}{i}") for i, one in enumerate(stations)]
        )
    zones = [line for zone in TOY.zones for line in item({k: v for k, v in vars(zone).items() if k != "hours"}, {})]
    (tmp_path / "net.yaml").write_text(
        to_yaml(named, zones, {"magnitude": "a comment"}, ["a header"]), encoding="utf-8"
    )
    found = networks.load(tmp_path / "net.yaml")
    assert sorted(found.stations, key=lambda one: one.code) == sorted(named.stations, key=lambda one: one.code)
    assert replace(found, stations=named.stations) == named


def test_what_needs_no_quotation_marks_gets_none():
    assert text("Ridgecrest, California") == "Ridgecrest, California"
    assert text("off") == '"off"'
