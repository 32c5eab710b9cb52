"""Fields: built, written, opened and described."""

import json

import numpy as np
import pytest

from seisbook import cli
from seisbook.catalogues import regions, strong_motion
from seisbook.datasets import fields
from seisbook.errors import DataError, UserError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return fields.build("greece", "simulated", tmp_path_factory.mktemp("fields") / "twin", 40, progress=False)


@pytest.fixture(scope="module")
def opened(folder):
    return fields.open_fields(folder)[0]


def test_the_same_seed_makes_the_same_bytes(folder, tmp_path):
    again = fields.build("greece", "simulated", tmp_path / "again", 40, progress=False)
    assert [path.name for path in sorted(again.iterdir())] == ["dataset.json", "fields.npz"]
    assert fields.open_fields(again)[0].arrays().keys() == fields.open_fields(folder)[0].arrays().keys()
    for name, array in fields.open_fields(again)[0].arrays().items():
        assert np.array_equal(array, fields.open_fields(folder)[0].arrays()[name]), name


def test_rows_belong_to_their_events(opened):
    assert len(opened) == len(opened.magnitude) == len(opened.start) - 1
    assert opened.sizes.min() >= regions.load("greece").minimum_stations
    assert opened.values.shape == (opened.start[-1], 5)
    assert np.array_equal(opened.event[opened.rows(3)], np.full(opened.sizes[3], 3))
    for i in (0, 7):
        rows = opened.rows(i)
        distance = np.hypot(*(opened.pos[rows] - opened.epicentre[i]).T)
        assert opened.epicentral_km[rows] == pytest.approx(distance)
        assert len(set(opened.station[rows])) == opened.sizes[i]


def test_select_keeps_events_whole_and_in_the_order_asked_for(opened):
    part = opened.select([5, 2])
    assert part.source_id.tolist() == opened.source_id[[5, 2]].tolist()
    assert np.array_equal(part.values[part.rows(1)], opened.values[opened.rows(2)])
    assert np.array_equal(part.codes[part.station[part.rows(0)]], opened.codes[opened.station[opened.rows(5)]])
    assert len(opened.select([])) == 0


@pytest.mark.parametrize("name", [fields.ARRAYS, fields.CARD])
def test_damaged_files_are_refused(folder, tmp_path, name):
    for part in (fields.ARRAYS, fields.CARD):
        (tmp_path / part).write_bytes((folder / part).read_bytes())
    (tmp_path / name).write_bytes((folder / name).read_bytes()[:-30])
    with pytest.raises(DataError, match="build it again"):
        fields.open_fields(tmp_path)


def test_arrays_that_do_not_fit_are_refused(folder, tmp_path, opened):
    (tmp_path / fields.CARD).write_text((folder / fields.CARD).read_text())
    np.savez(tmp_path / fields.ARRAYS, **{**opened.arrays(), "pos": opened.pos[:-1]})
    with pytest.raises(DataError, match="different lengths: pos"):
        fields.open_fields(tmp_path)
    np.savez(tmp_path / fields.ARRAYS, **{**opened.arrays(), "start": opened.start + 1})
    with pytest.raises(DataError, match="do not add up"):
        fields.open_fields(tmp_path)


def test_a_region_without_events_is_refused(tmp_path):
    with pytest.raises(UserError, match="no source 'bulletin'"):
        fields.build("greece", "bulletin", tmp_path / "x", progress=False)


def test_the_command_line_builds_and_describes(tmp_path, capsys):
    words = ["data", "build", "--network", "greece", "--source", "simulated", "--events", "20", "--seed", "3"]
    assert cli.main([*words, "--out", str(tmp_path / "twin")]) == 0
    assert cli.main(["data", "info", str(tmp_path / "twin")]) == 0
    text = capsys.readouterr().out
    assert text.count("Greece and the Aegean, source simulated") == 2
    assert "simulated: no value was measured" in text
    card = json.loads((tmp_path / "twin" / fields.CARD).read_text())
    assert card["random_state"] == 3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--network", "greece", "--source", "bulletin"], "a region: give --source measured or simulated"),
        (["--network", "greece", "--catalogue", "x.xml"], "go with networks"),
        (["--network", "colombia"], "a network: give --source bulletin, simulated or waveform"),
    ],
)
def test_options_of_the_other_kind_are_refused(tmp_path, capsys, words, message):
    assert cli.main(["data", "build", *words, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("region", "events", "records"), [("greece", 1272, 34259), ("italy", 218, 14821)])
def test_the_measured_fields(real_data, region, events, records):
    if not strong_motion.is_available():
        pytest.skip("no archive of strong motion")
    found = fields.load_fields(region, "measured", progress=False)
    assert (len(found), len(found.values)) == (events, records)
    low, high = (np.nanmin(found.values, axis=0), np.nanmax(found.values, axis=0))
    assert (low >= -7).all()
    assert (high <= 3).all()
    place = regions.load(region)
    assert (found.epicentral_km <= place.farthest_km * 1.01).all()
    assert np.isfinite(found.values).mean() > 0.99


def test_a_third_region_of_the_archive(real_data, tmp_path):
    if not strong_motion.is_available():
        pytest.skip("no archive of strong motion")
    text = (regions.FOLDER / "greece.yaml").read_text().replace("name: greece", "name: anatolia")
    text = text.replace("[34.0, 42.0]", "[35.5, 42.5]").replace("[19.0, 29.5]", "[29.5, 45.0]")
    (tmp_path / "anatolia.yaml").write_text(text)
    built = fields.build(tmp_path / "anatolia.yaml", "measured", tmp_path / "out", progress=False)
    assert len(fields.open_fields(built)[0]) > 50
