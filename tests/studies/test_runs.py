import json
from dataclasses import replace
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from seisbook import cli, provenance, records
from seisbook.catalogues import bulletins
from seisbook.catalogues.networks import NETWORKS
from seisbook.commands import train as command
from seisbook.datasets import build
from seisbook.errors import UserError
from seisbook.findings import results
from seisbook.models import checkpoints
from seisbook.studies import places, recipes, runs
from seisbook.studies.places import model_path
from seisbook.studies.pretraining import pretrain


@pytest.fixture
def shelf(tmp_path):
    """A folder for each test, since what stands there is looked at."""
    return tmp_path


def train(fold, model="dynamic"):
    return runs.run("ridgecrest", model, "random", fold, "quick", progress=False)


def test_five_folds_make_one_entry_over_all_events(bench, events):
    made = [train(fold) for fold in range(5)]
    tested = [name for record in made for name in record["errors"]["source_id"]]
    assert sorted(tested) == sorted(events.source_id)
    (entry,) = results.results("quick")
    assert entry["n_events"] == 60
    assert entry["parameters"] > 1e5
    assert entry["learning_rate"] in [rate / 2 for rate in recipes.PROFILES["quick"].rates]
    assert set(entry["epicentral_km"]) >= {"median", "ci", "mean", "p90", "rmse"}
    assert set(entry["magnitude"]) >= {"rmse", "ci", "bias", "sd"}
    low, high = entry["epicentral_km"]["ci"]
    assert low <= entry["epicentral_km"]["median"] <= high
    assert "dynamic" in results.table([entry])
    assert json.loads(results.as_json([entry]))[0]["network"] == "ridgecrest"


def test_a_record_is_not_made_twice_and_pretraining_is_shared(bench, monkeypatch):
    first = train(0)
    monkeypatch.setattr(runs, "_learned", None)  # would fail if it were called
    assert train(0) == first
    assert len(list((bench / "models").glob("*.safetensors"))) == 1


def test_incomplete_and_outdated_records_are_not_shown(bench, caplog):
    for fold in range(5):
        train(fold)
    path = bench / "results/runs/ridgecrest-dynamic-random-3.json"
    kept, _ = records.split(path)
    records.restamp(path, {**kept, "inputs": {"network:ridgecrest": "of another version"}})
    assert results.results("quick") == []
    assert "left out: " in caplog.text
    assert "ridgecrest-dynamic-random-3.json: stale: an input has changed: network:ridgecrest" in caplog.text
    assert len(results.all_runs("quick")) == 5
    with pytest.raises(UserError, match="seisbook train"):
        results.table([])


def test_the_twin_tests_what_the_twin_has_trained(bench, events):
    record = runs.run("ridgecrest", "dynamic", "twin", 0, "quick", progress=False)
    assert (record["source"], record["split"], record["fold"]) == ("simulated", "twin", 0)
    assert record["n_test"] == len(events)
    (entry,) = results.results("quick")  # which needs one record, not five
    assert (entry["source"], entry["n_events"]) == ("simulated", len(events))


def test_evaluation_repeats_what_the_run_has_found(bench):
    record = train(0)
    path = model_path("ridgecrest", "dynamic", "random", 0, "quick")
    found = runs.evaluate(path, progress=False)
    assert found.index.tolist() == record["errors"]["source_id"]
    np.testing.assert_allclose(found.epicentral_km, record["errors"]["epicentral_km"], rtol=1e-3)
    np.testing.assert_allclose(found.magnitude, record["errors"]["magnitude"], atol=1e-3)


def test_evaluation_on_a_dataset(bench, tmp_path):
    train(0)
    path = model_path("ridgecrest", "dynamic", "random", 0, "quick")
    out = build.build("ridgecrest", "simulated", tmp_path / "new", n_events=5, random_state=9, progress=False)
    assert len(runs.evaluate(path, out, progress=False)) == 5
    other = build.build("colombia", "simulated", tmp_path / "other", n_events=5, progress=False)
    with pytest.raises(UserError, match="window of the model's network"):
        runs.evaluate(path, other, progress=False)


def as_another_program_writes_it(ours, folder):
    """The events of a dataset as SeisBench's own writer has them, at twice the rate, without what it makes optional."""
    from seisbench.data import WaveformDataWriter

    from seisbook.datasets.graphs import EventDataset

    dataset = EventDataset(ours, sampling_rate_hz=100.0)
    kept = ["source_id", "source_latitude_deg", "source_longitude_deg", "source_depth_km", "source_magnitude"]
    kept += ["station_code", "station_latitude_deg", "station_longitude_deg", "trace_start_time", "trace_npts"]
    folder.mkdir()
    for chunk, index in (("_early", (0, 1)), ("_late", (2, 3, 4))):
        files = folder / f"metadata{chunk}.csv", folder / f"waveforms{chunk}.hdf5"
        with WaveformDataWriter(*files) as writer:
            writer.data_format = {
                "dimension_order": "WC",
                "component_order": "2Z1",
                "sampling_rate": 100.0,
                "unit": "nm",
            }
            for i in index:
                rows = dataset.metadata.iloc[dataset.rows[dataset.source_ids[i]]]
                onsets = rows.filter(like="arrival_sample") * 2  # in samples of the rate that is written
                rows = rows[kept].astype({"trace_npts": str}).join(onsets)
                for row, traces in zip(rows.to_dict("records"), dataset[i].x.numpy(), strict=True):
                    writer.add_trace(row, traces[[2, 0, 1]].T)
    return folder


def test_evaluation_on_a_dataset_of_another_program(bench, tmp_path, caplog):
    """It has no card, two chunks, another order of components and dimensions, and another sampling rate."""
    train(0)
    path = model_path("ridgecrest", "dynamic", "random", 0, "quick")
    out = build.build("ridgecrest", "simulated", tmp_path / "new", n_events=5, random_state=9, progress=False)
    theirs = as_another_program_writes_it(out, tmp_path / "theirs")
    ours, found = (runs.evaluate(path, dataset, progress=False) for dataset in (out, theirs))
    assert found.index.tolist() == ours.index.tolist()
    np.testing.assert_allclose(found.epicentral_km, ours.epicentral_km, rtol=0.5, atol=3)  # elevations are not there
    np.testing.assert_allclose(found.magnitude, ours.magnitude, atol=0.2)
    assert not caplog.records
    with (
        h5py.File(theirs / "waveforms_early.hdf5", "a") as file,
        h5py.File(theirs / "waveforms_late.hdf5", "a") as late,
    ):
        for one in (file, late):
            del one["data_format/unit"]
    runs.evaluate(path, theirs, progress=False)
    assert "its unit is not stated, the model's is nm: its magnitudes mean nothing" in caplog.text


def test_evaluation_needs_events_that_the_model_has_not_seen(bench):
    with pytest.raises(UserError, match="give a dataset"):
        runs.evaluate(pretrain("ridgecrest", "dynamic", "quick", False), progress=False)


# ------------------------------------------------------------------------------------------------------------ published


def always(question):
    return True


@pytest.fixture
def published(bench, monkeypatch):
    """A published run, and a function that does it again; it stands in folders of its own."""
    monkeypatch.setitem(recipes.PROFILES, "paper", recipes.PROFILES["quick"])
    monkeypatch.setattr(records, "RESULTS", bench / "published")
    monkeypatch.setattr(places, "MODELS", bench / "published")
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234")

    def again(**how):
        return runs.run("ridgecrest", "dynamic", "random", 0, "paper", progress=False, **how)

    again()
    return bench / "published/runs/ridgecrest-dynamic-random-0.json", again


def test_a_published_run_keeps_its_record_and_its_model_with_what_they_were_made_of(published):
    path, _ = published
    key = runs.run_key("ridgecrest", "dynamic", "random", 0, "paper")
    card = places.MODELS / f"{path.stem}.json"
    assert records.split(path)[0]["key"] == records.split(card)[0]["key"] == key
    assert records.split(path)[0]["inputs"] == records.split(card)[0]["inputs"]
    assert provenance.state(path, key).name == checkpoints.state(card, key).name == "unverified"


def test_a_published_record_is_not_replaced_unless_that_is_asked_for(published, monkeypatch):
    path, again = published
    records.restamp(path, {**records.split(path)[0], "inputs": {"network:ridgecrest": "of another version"}})
    before = path.read_bytes()
    with pytest.raises(UserError, match=rf"{path}: stale: an input has changed: .* replace it, give --force"):
        again()
    assert path.read_bytes() == before
    asked = []
    made = again(may_replace=lambda question: asked.append(question) or True)
    assert len(asked) == 1
    assert asked[0].startswith(f"{path}: stale: an input has changed: network:ridgecrest. Train it again")
    assert provenance.state(path).name == "unverified"
    monkeypatch.setattr(runs, "_learned", None)  # would fail if it were called
    assert again(may_replace=always) == made == again()


def test_the_command_does_not_replace_a_published_record_without_force(published, capsys):
    path, _ = published
    records.restamp(path, {**records.split(path)[0], "inputs": {"network:ridgecrest": "of another version"}})
    arguments = ["train", "--network", "ridgecrest", "--model", "dynamic", "--fold", "0"]
    before = path.read_bytes()
    assert cli.main(arguments) == 2  # nobody sits at a terminal
    assert "give --force" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert cli.main([*arguments, "--force"]) == 0
    assert "ridgecrest dynamic random 0: median epicentral error" in capsys.readouterr().out
    assert path.read_bytes() != before


@pytest.mark.parametrize(("answer", "agreed"), [("y", True), ("Yes ", True), ("", False), ("n", False)])
def test_whoever_sits_at_a_terminal_is_asked(monkeypatch, answer, agreed):
    monkeypatch.setattr("builtins.input", lambda question: answer if question == "Replace it? [y/N] " else None)
    for at_terminal in (True, False):
        monkeypatch.setattr(command.sys, "stdin", SimpleNamespace(isatty=lambda found=at_terminal: found))
        assert command._agreed("Replace it?") == (agreed and at_terminal)


def test_a_run_by_another_configuration_is_stale(published):
    _, again = published
    other = recipes.PROFILES["paper"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(recipes.PROFILES, "paper", replace(other, training=replace(other.training, epochs=2)))
        with pytest.raises(UserError, match=r"stale: its configuration has changed: training: .*give --force"):
            again()


def test_nothing_is_published_while_code_has_changed(published, monkeypatch):
    path, again = published
    path.unlink()
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234+")
    with pytest.raises(UserError, match="commit first"):
        again(may_replace=always)
    assert not path.exists()


def test_carrying_out_a_run_writes_nothing(published, bench):
    before = {path: path.stat().st_mtime_ns for path in bench.rglob("*")}
    made = runs.train_and_test("ridgecrest", "dynamic", "random", 0, "paper", progress=False)
    assert made.record["errors"] == records.read(published[0])[1]["errors"]
    assert {path: path.stat().st_mtime_ns for path in bench.rglob("*")} == before


# --------------------------------------------------------------------------------------------------------- as committed

KEPT = sorted(p.stem for p in places.MODELS.glob("*-random-0.json") if "-robust-" not in p.stem)


def test_each_model_that_is_kept_has_a_record():
    assert set(KEPT) == {f"{network}-{model}-random-0" for network in NETWORKS for model in places.KEPT}
    assert set(KEPT) <= set(results.all_runs())


@pytest.mark.parametrize("network", NETWORKS)
def test_events_of_the_bulletin_that_a_model_was_trained_on_are_left_out(network, real_data, tmp_path, caplog):
    """Also if they come in a dataset, as fetched seismograms do."""
    first = bulletins.read_bulletin(network).head(60).events.index
    checkpoint = model_path(network, "dynamic", "random", 0, "paper")
    dataset = build.build(network, "bulletin", tmp_path / "set", n_events=60, progress=False)
    found = runs.evaluate(checkpoint, dataset, progress=False)
    held = results.all_runs()[f"{network}-dynamic-random-0"]["errors"]["source_id"]
    assert 0 < len(found) < 60
    assert set(found.index) == set(first) & set(held)
    assert runs.amplitudes(checkpoint, found.index, dataset)
    assert "events left out" in caplog.text


def test_without_the_bulletin_it_is_said_that_nothing_is_left_out(monkeypatch, caplog):
    def refuse(network):
        raise UserError("no bulletin here")

    monkeypatch.setattr(bulletins, "read_bulletin", refuse)
    _, card = runs.load(model_path("ridgecrest", "dynamic", "random", 0, "paper"))
    assert list(runs._trained_on(card, "waveform")) == []
    assert "not left out: no bulletin here" in caplog.text


@pytest.mark.parametrize("name", KEPT)
def test_a_record_follows_from_the_committed_model(name, real_data):
    """The published model predicts the published record again, from the real bulletin."""
    network, model, split, fold = name.split("-")
    record = results.all_runs()[name]
    found = runs.evaluate(model_path(network, model, split, int(fold), "paper"), progress=False)
    assert found.index.tolist() == record["errors"]["source_id"]
    assert provenance.SAME_WEIGHTS.holds(record["errors"]["epicentral_km"], found.epicentral_km)
    if model == "dynamic":
        np.testing.assert_allclose(found.magnitude, record["errors"]["magnitude"], atol=0.005)
