"""Studies of cheap trials, run in real processes that are killed, interrupted and starved."""

import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import dask
import numpy as np
import psutil
import pytest

from seisbook import cli, provenance, records
from seisbook.errors import DataError, UserError
from seisbook.studies import runner

# ------------------------------------------------------------------------------------ the study, which workers import
# Its network is a folder: `plan.json` says what the trials do, `version` is its configuration, `log` for who did what.

busy = threading.Lock()


def trials(network, source, profile):
    plan = json.loads((Path(network) / "plan.json").read_text())
    return [
        {"folder": network, "seed": seed, "pause_s": plan["pause_s"], "does": plan["does"].get(str(seed), "draw")}
        for seed in range(plan["n"])
    ]


def config(trial):
    return {"version": (Path(trial["folder"]) / "version").read_text()}


def run(given, device="cpu"):
    with (Path(given[0]["folder"]) / "log").open("a") as file:
        file.write(json.dumps({"seeds": [trial["seed"] for trial in given], "pid": os.getpid()}) + "\n")
    if not busy.acquire(blocking=False):
        raise RuntimeError("two trials at once in one process")
    try:
        return [draw(trial) for trial in given]
    finally:
        busy.release()


def draw(trial):
    time.sleep(trial["pause_s"])
    folder, does = Path(trial["folder"]), trial["does"]
    if does == "diverge":
        raise UserError("the loss diverged")
    if does == "die" or (does == "die once" and not (folder / "died").exists()):
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if does == "hang once" and not (folder / "hung").exists():
        (folder / "hung").write_text(f"{os.getpid()}\n")
        time.sleep(600)
    if does == "meet":  # until another process has begun it, too
        wait_until(lambda: len({line["pid"] for line in read_log(folder) if trial["seed"] in line["seeds"]}) == 2)
    error = np.random.default_rng(trial["seed"]).normal(size=2000 if does == "fill" else 3)
    return {"error_km": error, "worst_km": np.float32(error.max()), "loss": float("nan") if does == "nan" else None}


def read_log(folder):
    path = folder / "log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def wait_until(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def parity(trial):
    return trial["seed"] % 2


STUDY = runner.Study("cheap", trials, run, config, group=parity)

# -------------------------------------------------------------------------------------------------------------- helpers


class Place:
    """A folder of its own for each test."""

    def __init__(self, folder):
        self.folder, self.build, self.results = folder, folder / "_build", folder / "results"
        self.address = (str(folder), "simulated", "quick")
        (folder / "version").write_text("1")
        self.plan()

    def plan(self, n=8, pause_s=0.0, **does):
        plan = {"n": n, "pause_s": pause_s, "does": {seed[1:]: what for seed, what in does.items()}}
        (self.folder / "plan.json").write_text(json.dumps(plan))
        return self

    def run(self, study=STUDY, **how):
        return runner.run(study, *self.address, progress=False, **how)

    def status(self):
        return runner.status(STUDY, *self.address)

    def files(self):
        return sorted((self.build / "studies").rglob("*.json"))

    def log(self):
        return read_log(self.folder)

    def times(self):
        """How often each trial was begun."""
        return Counter(seed for line in self.log() for seed in line["seeds"])

    def load(self):
        return runner.load(STUDY, *self.address)

    def arguments(self, command):
        network, source, profile = self.address
        return ["study", command, "cheap", "--network", network, "--source", source, "--profile", profile]

    def start(self, **how):
        """Run the study in a process of its own."""
        process = FRESH.Process(target=_apart, args=(self, how))
        process.start()
        return process


FRESH = multiprocessing.get_context("forkserver")
FRESH.set_forkserver_preload(["seisbook.datasets.build"])  # seconds of imports, once


def _apart(place, how):
    if limit := how.pop("largest_file", None):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    runner.BUILD, records.RESULTS = place.build, place.results
    runner.STUDIES["cheap"] = __name__
    sys.stdout = sys.stderr = (place.folder / f"output-{os.getpid()}").open("w", buffering=1)
    options = [text for name, value in how.items() for text in (f"--{name}", str(value))]
    code = cli.main([*place.arguments("run"), *options])
    for worker in psutil.Process().children():  # for which a process of multiprocessing would wait until they are idle
        worker.kill()
    sys.exit(code)


def output(place, process):
    path = place.folder / f"output-{process.pid}"
    return path.read_text() if path.exists() else ""


def expected(place):
    """The results of an uninterrupted run, as JSON returns them."""
    found = []
    for trial in trials(*place.address):
        error = np.random.default_rng(trial["seed"]).normal(size=2000 if trial["does"] == "fill" else 3)
        found.append({"error_km": error.tolist(), "worst_km": float(np.float32(error.max())), "loss": None})
    return found


def assert_complete(place):
    assert place.status() == runner.Status(
        total=len(expected(place)), done=len(expected(place)), missing=0, stale=0, corrupt=0
    )
    assert [one["result"] for one in place.load()] == expected(place)
    assert not list(place.folder.rglob("*.part"))


@pytest.fixture
def place(tmp_path, monkeypatch):
    made = Place(tmp_path)
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234")
    monkeypatch.setattr(runner, "BUILD", made.build)
    monkeypatch.setattr(records, "RESULTS", made.results)
    monkeypatch.setitem(runner.STUDIES, "cheap", __name__)
    return made


# ---------------------------------------------------------------------------------------------------------------- tests


def test_each_trial_is_done_once_in_order_and_its_record_says_how(place):
    assert place.run() == runner.Status(total=8, done=8, missing=0, stale=0, corrupt=0)
    assert [line["seeds"] for line in place.log()] == [[seed] for seed in range(8)]
    assert_complete(place)
    before = {path: path.stat().st_mtime_ns for path in place.files()}
    assert place.run().done == 8
    assert {path: path.stat().st_mtime_ns for path in place.files()} == before
    assert len(place.log()) == 8
    made_of, record = records.read(place.files()[0])
    assert record["key"] == place.files()[0].stem == provenance.digest(made_of["key"])
    assert runner.trial_key(STUDY, record["trial"]) == made_of["key"]
    assert (record["seisbook"], record["device"], record["threads"]) == ("0.1.0", "cpu", 1)
    assert record["machine"]
    assert 0 <= record["seconds"] < 5


def test_workers_give_the_same_results(place):
    place.plan(pause_s=0.1)
    place.run(n_jobs=2)
    assert_complete(place)
    workers = {line["pid"] for line in place.log()}
    assert len(workers) == 2
    assert os.getpid() not in workers


def test_a_trial_has_one_thread_and_the_process_gets_its_threads_back(place):
    torch = pytest.importorskip("torch")
    seen = []

    def look(given):
        seen.append(torch.get_num_threads())
        return run(given)

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        place.plan(n=1).run(replace(STUDY, run=look))
        assert (seen, torch.get_num_threads()) == ([1], 3)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_study_goes_on_where_it_was(place, jobs):
    place.plan(n=12, pause_s=0.15)
    process = place.start(jobs=jobs)
    wait_until(lambda: len(place.files()) >= 4)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.join()
    wait_until(lambda: sum(place.times().values()) - len(place.files()) <= (jobs == 1))  # orphans keep what they finish
    time.sleep(0.5)
    for worker in workers:
        worker.kill()
    kept = {path: path.stat().st_mtime_ns for path in place.files()}
    begun = place.times()
    assert 4 <= len(kept) < 12
    place.plan(n=12, pause_s=0.15).run()
    assert place.times() == begun + Counter({trial["seed"]: 1 for trial in _not_in(kept, place)})
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert_complete(place)


def digest(trial):
    return provenance.digest(runner.trial_key(STUDY, trial))


def _not_in(kept, place):
    return [trial for trial in trials(*place.address) if digest(trial) not in {path.stem for path in kept}]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupted_study_keeps_its_records(place, jobs):
    place.plan(n=30, pause_s=0.15)
    process = place.start(jobs=jobs)
    wait_until(lambda: len(place.files()) >= 3)
    os.kill(process.pid, signal.SIGINT)
    process.join(20)
    assert process.exitcode == 130
    assert "seisbook: interrupted" in output(place, process)
    assert "Traceback" not in output(place, process)
    assert 3 <= len(place.files()) < 30
    assert place.status().corrupt == 0
    assert not list(place.folder.rglob("*.part"))


def test_damaged_records_are_set_aside_and_done_again(place, caplog):
    place.run()
    texts = [path.read_text() for path in place.files()]
    damaged = place.files()[:6]
    contents = [texts[0][:50], "", "[]", texts[7], "\x00" * 100, json.dumps({**json.loads(texts[5]), "result": None})]
    for path, content in zip(damaged, contents, strict=True):
        path.write_text(content)
    assert place.status() == runner.Status(total=8, done=2, missing=6, stale=0, corrupt=6)
    assert str(place.status()) == "2 of 8 trials done, 6 missing; 6 damaged"
    assert place.run().done == 8
    assert_complete(place)
    for path, content in zip(damaged, contents, strict=True):
        assert path.with_name(f"{path.name}.corrupt").read_text() == content
        assert path.name in caplog.text
    assert sum(place.times().values()) == 8 + 6


def test_records_of_another_configuration_are_not_used(place):
    place.plan(n=6).run()
    (place.folder / "version").write_text("2")
    assert place.status() == runner.Status(total=6, done=0, missing=6, stale=6, corrupt=0)
    place.plan(n=8)
    assert str(place.status()).startswith("0 of 8 trials done, 8 missing (6 of them made by another configuration")
    with pytest.raises(UserError, match=r"8 missing \(6 .*run `seisbook study run cheap --network .* --profile quick`"):
        place.load()
    assert place.run().done == 8
    assert place.times() == {**dict.fromkeys(range(6), 2), 6: 1, 7: 1}
    assert_complete(place)


def test_trials_that_fail_do_not_hold_up_the_others(place, capsys):
    place.plan(_2="diverge", _5="nan")
    assert cli.main(place.arguments("run")) == 1
    printed = capsys.readouterr()
    failed = [line for line in printed.err.splitlines() if line.startswith("seisbook: ")]
    assert len(failed) == 2
    assert '"seed": 2' in failed[0]
    assert failed[0].endswith(": the loss diverged")
    assert '"seed": 5' in failed[1]
    assert "finite" in failed[1]
    assert printed.out == "6 of 8 trials done, 2 missing\n"
    with pytest.raises(UserError, match="6 of 8 trials done, 2 missing: run `seisbook study run cheap"):
        place.load()


def test_a_full_disk_loses_nothing_and_leaves_nothing_half_written(place):
    place.plan(_4="fill")
    process = place.start(largest_file=5000)
    process.join(60)
    assert process.exitcode == 2
    assert "cannot be written (File too large): raise the largest size of a file" in output(place, process)
    assert len(place.files()) == 4
    assert not list(place.folder.rglob("*.part"))
    place.run()
    assert place.times() == {**dict.fromkeys(range(8), 1), 4: 2}
    assert_complete(place)


def test_two_runners_do_not_disturb_each_other(place):
    place.plan(n=12, pause_s=0.02, _0="meet")
    runners = [place.start(), place.start()]
    for one in runners:
        one.join(120)
    assert [one.exitcode for one in runners] == [0, 0]
    assert {line["pid"] for line in place.log()} == {one.pid for one in runners}
    assert_complete(place)


def test_a_worker_that_dies_costs_only_what_it_had_in_hand(place, caplog):
    place.plan(pause_s=0.1, _3="die once")
    assert place.run(n_jobs=2).done == 8
    assert "a worker process died" in caplog.text
    assert_complete(place)


def test_workers_that_keep_dying_end_the_run(place):
    place.plan(n=4, pause_s=0.1, _3="die")
    with pytest.raises(RuntimeError, match="run again with fewer jobs"):
        place.run(n_jobs=2)
    assert place.status().done == 3


def test_batched_passes_take_what_is_missing_of_a_group(place):
    place.plan(n=3).run()
    place.plan(n=9)
    assert place.run(device="meta").done == 9  # PyTorch's device without memory: here on every machine
    assert [line["seeds"] for line in place.log()[3:]] == [[3, 5, 7], [4, 6, 8]]
    assert_complete(place)
    assert {json.loads(path.read_text())["device"] for path in place.files()} == {"cpu", "meta"}


def test_a_cpu_does_so_many_trials_of_a_group_in_one_pass(place):
    place.plan(n=7)
    place.run(replace(STUDY, batch=2))
    assert [line["seeds"] for line in read_log(place.folder)] == [[0, 2], [1, 3], [4, 6], [5]]
    assert_complete(place)


def test_without_groups_each_trial_is_run_alone(place):
    place.plan(n=3)
    place.run(replace(runner.Study("cheap", trials, run, config), batch=2))
    assert [line["seeds"] for line in place.log()] == [[0], [1], [2]]


def test_a_batched_pass_that_fails_is_halved_down_to_the_trial_to_blame(place):
    place.plan(n=16, _6="diverge")
    status = place.run(device="meta")
    assert status.done == 15
    assert [failure.trial["seed"] for failure in status.failures] == [6]
    assert [len(line["seeds"]) for line in place.log()] == [8, 4, 2, 2, 1, 1, 4, 8]


def test_records_survive_merging(place):
    place.plan(n=6).run()
    path = runner.merge(STUDY, *place.address)
    assert path == place.results / f"studies/cheap-{place.folder.name}-simulated-quick.json"
    first = path.read_bytes()
    assert b'": ' not in first
    content = json.loads(first)
    assert len(content["made"]) == 1
    assert content["made"][0]["machine"]
    assert content["seconds"] == pytest.approx(sum(one["seconds"] for one in content["records"]), abs=0.05)
    for old in place.files():
        old.unlink()  # as in a fresh clone
    assert_complete(place)
    assert runner.merge(STUDY, *place.address).read_bytes() == first
    place.plan(n=8).run()
    assert sum(place.times().values()) == 8
    assert json.loads(runner.merge(STUDY, *place.address).read_bytes())["records"][:6] == content["records"]
    assert_complete(place)


def test_networks_of_a_study_are_those_with_published_records(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    (tmp_path / "studies").mkdir()
    for name in ("calm-ridgecrest-bulletin", "calm-colombia-bulletin", "calm-sea-ridgecrest-simulated"):
        (tmp_path / "studies" / f"{name}-paper.json").touch()
    assert runner.networks_of("calm") == ["colombia", "ridgecrest"]
    assert runner.networks_of("calm-sea") == []
    assert runner.networks_of("calm-sea", "simulated") == ["ridgecrest"]


def test_a_damaged_merged_file_is_named_and_left_alone(place):
    place.run()
    path = runner.merge(STUDY, *place.address)
    whole = json.loads(path.read_text())
    for content in (
        "<<<<<<< HEAD",
        "[]",
        json.dumps({**whole, "made": []}),
        json.dumps({**whole, "records": [{"made": 0}]}),
    ):
        path.write_text(content)
        with pytest.raises(DataError, match=r"quick\.json: .*: restore the file"):
            place.run()
        assert path.read_text() == content


def test_nothing_is_merged_where_no_record_is_current(place):
    place.run()
    path = runner.merge(STUDY, *place.address)
    before = path.read_bytes()
    (place.folder / "version").write_text("2")
    with pytest.raises(UserError, match="no current record to merge: run `seisbook study run cheap"):
        runner.merge(STUDY, *place.address)
    assert path.read_bytes() == before


def test_mistakes_are_said_before_anything_is_run(place):
    with pytest.raises(UserError, match=r"no study 'none': choose one of .*cheap"):
        runner.find("none")
    assert runner.find("cheap").name == "cheap"
    with pytest.raises(UserError, match="device 'nowhere' cannot be used here"):
        place.run(device="nowhere")
    with pytest.raises(UserError, match="study cheap runs on CPUs only"):
        place.run(replace(STUDY, run=draw), device="meta")
    with pytest.raises(UserError, match="let them differ in a key"):
        place.run(replace(STUDY, trials=lambda *where: 2 * trials(*where)))
    assert place.log() == []


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere://x"])
def test_a_scheduler_that_does_not_answer_is_named(place, address):
    import distributed  # noqa: F401 (or its configuration would be read, and lost again, inside the block)

    quickly = dask.config.set({"distributed.comm.timeouts.connect": "0.5s"})
    with quickly, pytest.raises(UserError, match=f"no Dask scheduler answers at {address}"):
        place.run(dask=address)
    assert place.files() == []


def test_a_result_is_not_filed_under_a_configuration_that_did_not_make_it(place):
    def change(network, source, profile):
        (Path(network) / "version").write_text("2")  # as an edit after the start, seen by workers that start later

    with pytest.raises(UserError, match="a worker has another configuration"):
        place.run(replace(STUDY, prepare=change))
    assert place.files() == []


def test_what_all_trials_share_is_prepared_only_if_one_is_missing(place):
    calls = []
    study = replace(STUDY, prepare=lambda *where: calls.append(where))
    place.run(study)
    place.run(study)
    assert calls == [place.address]


def test_what_a_trial_loads_is_kept_with_it_and_moves_its_record(place, monkeypatch):
    def load(given):
        provenance.note("file:one", "content")
        return run(given)

    study = replace(STUDY, run=load)
    place.plan(n=2).run(study)
    merged = runner.merge(study, *place.address)
    assert records.split(merged)[0]["inputs"] == {"file:one": "content"}
    assert runner.status(study, *place.address).done == 2
    monkeypatch.setitem(provenance.IDENTITIES, "file", lambda name: "changed")
    assert runner.status(study, *place.address) == runner.Status(total=2, done=0, missing=2, stale=2, corrupt=0)
    assert provenance.state(merged).name == "stale"


def test_what_was_run_while_code_had_changed_is_not_published(place, monkeypatch):
    monkeypatch.setattr(provenance, "code_version", lambda: "abc1234+")
    place.plan(n=2).run()
    with pytest.raises(UserError, match="2 trials were run while code had changed"):
        runner.merge(STUDY, *place.address)


def test_a_digit_changed_by_hand_is_noticed(place):
    place.plan(n=2).run()
    path = place.files()[0]
    path.write_text(path.read_text().replace('"threads":1', '"threads":2'))
    assert place.status().corrupt == 1


# ----------------------------------------------------------------------------------------------------------------- dask


@pytest.fixture
def cluster(tmp_path):
    """Starts the processes of a cluster on this machine; the first call starts the scheduler."""
    file, environment = tmp_path / "scheduler.json", {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    started = []

    def start(*command):
        place = ["--host", "127.0.0.1", "--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
        with (tmp_path / f"dask-{len(started)}").open("w") as log:
            command = [sys.executable, "-m", "dask", *command, *place]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=tmp_path))
        wait_until(lambda: file.exists() and file.read_text().endswith("}"))
        return started[-1], json.loads(file.read_text())["address"]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_lost_scheduler_is_said(place, cluster):
    scheduler, address = cluster("scheduler", "--port", "0")
    process = place.start(dask=address)
    wait_until(lambda: "has no workers yet; start some" in output(place, process))
    scheduler.kill()
    process.join(120)
    assert process.exitcode == 1
    assert output(place, process).splitlines()[-1].startswith(f"seisbook: lost the Dask scheduler at {address}")
    assert "runner.py" not in output(place, process)  # Dask may log its own attempts to connect again, but none of ours


def test_a_cluster_that_loses_a_worker_gives_the_same_results(place, cluster):
    _, address = cluster("scheduler", "--port", "0")
    # of two threads each, which would share PyTorch's random state
    workers = [cluster("worker", "--nthreads", "2", "--no-nanny")[0] for _ in range(2)]
    place.plan(n=12, pause_s=0.05, _3="hang once", _7="diverge")
    process = place.start(dask=address)
    wait_until(lambda: (place.folder / "hung").exists() or not process.is_alive())
    (victim,) = [worker for worker in workers if worker.pid == int((place.folder / "hung").read_text())]
    victim.kill()
    process.join(120)
    assert process.exitcode == 1
    assert "the loss diverged" in output(place, process)
    assert {line["pid"] for line in place.log()} <= {worker.pid for worker in workers}
    assert place.times()[3] == 2
    assert place.status().done == 11
    kept = {one["trial"]["seed"]: one["result"] for one in map(json.loads, map(Path.read_text, place.files()))}
    assert kept == {seed: result for seed, result in enumerate(expected(place)) if seed != 7}


# ----------------------------------------------------------------------------------------------------- the command line


def test_the_command_line_runs_reports_and_merges(place, capsys):
    assert cli.main(place.arguments("status")) == 0
    assert capsys.readouterr().out == "0 of 8 trials done, 8 missing\n"
    assert cli.main([*place.arguments("run"), "--jobs", "1"]) == 0
    assert capsys.readouterr().out == "8 of 8 trials done, 0 missing\n"
    assert cli.main(place.arguments("merge")) == 0
    assert Path(capsys.readouterr().out.strip()).is_file()


def test_help_names_the_studies_and_shows_how_to_go_on(place, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["study", "run", "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "cheap" in text
    assert "seisbook study run NAME --network colombia" in text
    with pytest.raises(SystemExit) as caught:
        cli.main([*place.arguments("run"), "--jobs", "2", "--device", "cuda"])
    assert caught.value.code == 2
    assert "not allowed with" in capsys.readouterr().err
