"""Studies: hundreds of short trainings, each of which is done once, whatever happens to the machine.

A *study* is a list of *trials*, flat dictionaries such as `{"architecture": "dynamic", "partition": 3, "seed": 0}`.
Each trial has one *result*, which is kept with the trial and its provenance as a *record*, a JSON file of its own under
`_build/studies`, named by the hash of its key. Whether a trial has been done is asked of these files alone, so that
a study that was stopped, by whatever means, goes on where it was. `merge` puts all records of a study into the one file
in `data/results/studies` that is committed; a fresh clone then has nothing to do.
"""

import importlib
import inspect
import json
import logging
import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

import seisbook
from seisbook import provenance, records
from seisbook.errors import DataError, UserError
from seisbook.paths import BUILD

log = logging.getLogger(__name__)
STUDIES = {
    "ablations": "seisbook.studies.ablations",
    "alignment": "seisbook.studies.alignment",
    "alignment-tuned": "seisbook.studies.alignment_tuned",
    "augmentation": "seisbook.studies.augmentation",
    "imbalance": "seisbook.studies.imbalance",
    "robustness": "seisbook.studies.robustness",
    "robustness-peers": "seisbook.studies.robustness_peers",
    "smoothing": "seisbook.studies.smoothing",
    "transfer": "seisbook.studies.transfer",
    "variance": "seisbook.studies.variance",
}
"""Name of each study, and the module that defines it as `STUDY`; the module is imported when the study is asked for."""
ERRORS = ("epicentral_km", "depth_km", "magnitude", "magnitude_rmse")  # names of errors in results

IDLE_S = 10  # after which a worker process without work ends, also where the process that started it was killed
_ONE_TRIAL = threading.Lock()  # a Dask worker has several threads, but PyTorch has one random state a process


def _nothing(network, source, profile):
    """Prepare nothing."""


def _alone(trial):
    """A group for each trial."""
    return _text(trial)


def medians(result, where="") -> dict[str, float]:
    """Medians of the absolute errors in a result, and the RMSE of magnitudes, by their place in it."""
    numbers = {}
    for name, value in result.items() if isinstance(result, dict) else enumerate(result):
        place = f"{where}{name}"
        if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
            numbers |= medians(value, f"{place}.")
        elif name in ERRORS and isinstance(value, list):
            numbers[place] = float(np.nanmedian(np.abs(np.array(value, float))))
        elif isinstance(value, float) and (name in (*ERRORS, "median") or place.endswith("magnitude.rmse")):
            numbers[place] = abs(value)
    return numbers


@dataclass(frozen=True)
class Study:
    """What a study consists of.

    All functions are functions of a module (or `functools.partial` of one), so that worker processes can import them.

    Parameters
    ----------
    name : str
    trials : callable
        `(network, source, profile)` to the list of trials, in the order in which they are to be run; plain JSON values.
    run : callable
        A list of trials to the list of their results, dictionaries that JSON can hold (None for what is not finite).
        On CPUs it gets up to `batch` trials of a group. With `device="cuda"`, which a study for GPUs takes as a
        keyword, all missing trials of a group in one call; a trial's result must not depend on which others are in it.
    config : callable
        A trial to what it is carried out with, the resolved configuration: plain values and dataclasses.
    prepare : callable, optional
        `(network, source, profile)`: makes what all trials share, such as the data set and the trained stem, in the
        calling process before the workers start, if any trial is missing.
    group : callable, optional
        A trial to a hashable key: trials with the same key can be run in one batched pass. Each is run alone if this is
        not given.
    batch : int
        Trials of a group that a CPU does in one pass, where that is faster than one after the other.
    summary : callable, optional
        A result to the numbers, by name, that must come out again when the trial is run again.
    tolerance : float
        Largest relative difference of these numbers.
    """

    name: str
    trials: Callable[[str, str, str], list[dict]]
    run: Callable[..., list[dict]]
    config: Callable[[dict], dict]
    prepare: Callable[[str, str, str], None] = _nothing
    group: Callable[[dict], Hashable] = _alone
    batch: int = 1
    summary: Callable[[dict], dict[str, float]] = medians
    tolerance: float = provenance.RETRAINED


class Failure(NamedTuple):
    """A trial that could not be done, and why."""

    trial: dict
    message: str


@dataclass(frozen=True)
class Status:
    """How far a study is.

    Parameters
    ----------
    total, done, missing : int
        Trials; those with a record of the configuration and the inputs as they are; the others.
    stale : int
        Of the missing ones, those with a record of another configuration or other inputs.
    corrupt : int
        Files that are no records: damaged, or cut off. The next run sets them aside.
    failures : list of Failure
        Of the run that has just ended.
    """

    total: int
    done: int
    missing: int
    stale: int
    corrupt: int
    failures: list[Failure] = field(default_factory=list)

    def __str__(self):
        text = f"{self.done} of {self.total} trials done, {self.missing} missing"
        if self.stale:
            text += f" ({self.stale} of them made by another configuration or from other inputs)"
        return f"{text}; {self.corrupt} damaged" if self.corrupt else text


def find(name: str) -> Study:
    """Return the study of this name.

    Raises
    ------
    UserError
        If there is none.
    """
    if name not in STUDIES:
        raise UserError(f"no study {name!r}: choose one of {', '.join(STUDIES) or '(there is none yet)'}")
    return importlib.import_module(STUDIES[name]).STUDY


def run(study, network, source, profile, *, n_jobs=1, dask=None, device="cpu", progress=True) -> Status:
    """Do all trials that are missing, and keep a record of each as soon as it is done.

    On CPUs each trial has one thread, so that results do not depend on the number of workers. What was written stays
    whatever happens; run again, and only what is missing is done.

    Parameters
    ----------
    study : Study
    network, source, profile : str
        Handed to `study.trials`.
    n_jobs : int
        Worker processes; 1 is this process.
    dask : str, optional
        Address of a Dask scheduler, such as `tcp://10.0.0.1:8786`, whose workers do the trials. They need the same
        version of SeisBook and its data; the records are written here.
    device : str
        Anything but `cpu` runs the trials in this process, a whole group in one batched pass.
    progress : bool

    Returns
    -------
    Status
        With the trials that failed, each with its reason; other trials are not held up by them.

    Raises
    ------
    UserError
        If there is no such device, no such scheduler, a worker has another configuration, or two trials are the same.
    RuntimeError
        If worker processes keep dying, or the Dask scheduler is lost.
    OSError
        If a record cannot be written, as on a full disk.
    """
    shelf = _Shelf(study, network, source, profile)
    wanted = _wanted(shelf, progress)
    stock = _take_stock(shelf, wanted)
    _set_aside(stock.corrupt)
    failures = []
    if stock.missing:
        _check_device(study, device)
        study.prepare(network, source, profile)
        bar = tqdm(
            total=len(stock.trials),
            initial=len(stock.found),
            desc=study.name,
            unit="trial",
            disable=None if progress else True,
        )
        with bar:
            for outcome in _outcomes(shelf, stock.missing, n_jobs, dask, device):
                failures += outcome.failures
                bar.update(outcome.trials)
    return _status(_take_stock(shelf, wanted), failures)


def status(study, network, source, profile) -> Status:
    """How far a study is; nothing is changed."""
    shelf = _Shelf(study, network, source, profile)
    return _status(_take_stock(shelf, _wanted(shelf)))


def state(study, network, source, profile) -> provenance.State:
    """State of a study's published record: stale, too, if trials are missing in it."""
    shelf = _Shelf(study, network, source, profile)
    published = provenance.state(shelf.merged, shelf.key)
    if published.name in ("current", "unverified"):
        stock = _take_stock(shelf, _wanted(shelf, progress=False), here=False)
        if stock.missing:
            return provenance.State("stale", str(_status(stock)))
    return published


def merge(study, network, source, profile) -> Path:
    """Write all current records of a study to the file that is committed; the same records give the same bytes.

    Returns
    -------
    Path
        `data/results/studies/<name>-<network>-<source>-<profile>.json`: the total time in seconds, how the records were
        made (`made`, each combination of code version and machine once), and the records.

    Raises
    ------
    UserError
        If there is no current record, which would leave an empty file.
    """
    shelf = _Shelf(study, network, source, profile)
    wanted = _wanted(shelf)
    stock = _take_stock(shelf, wanted)
    if not stock.found:
        raise UserError(f"{shelf}: no current record to merge: run `{shelf.command}`")
    kept = [stock.found[digest] for digest in stock.trials if digest in stock.found]
    _refuse_uncommitted(shelf, kept)
    hows = [{key: record[key] for key in HOW} for record in kept]
    made = [how for position, how in enumerate(hows) if how not in hows[:position]]
    content = {
        **{"study": study.name, "network": Path(network).stem, "source": source, "profile": profile},
        "seconds": round(sum(record["seconds"] for record in kept), 1),
        "made": made,
        "records": [
            {"made": made.index(how), **{name: record[name] for name in RECORD}}
            for record, how in zip(kept, hows, strict=True)
        ],
    }
    inputs = {name: content for record in kept for name, content in record["inputs"].items()}
    before = provenance.state(shelf.merged, shelf.key)
    evidence = records.split(shelf.merged)[0].get("evidence") if before.name in ("current", "unverified") else None
    if evidence and records.hash_of(records.body_of(content)) != records.split(shelf.merged)[0]["content"]:
        evidence = None  # of other numbers
    return records.write(shelf.merged, content, provenance.provenance(shelf.key, inputs, evidence))


def _refuse_uncommitted(shelf, kept):
    """Refuse to publish what was made while code had changed since the last commit."""
    loose = [record for record in kept if record.get("code", "").endswith("+")]
    if loose:
        raise UserError(
            f"{shelf}: {len(loose)} trials were run while code had changed since the last commit: commit, remove "
            f"{shelf.folder}, and run `{shelf.command}` again"
        )


def load(study, network, source, profile) -> list[dict]:
    """Return the trials and results of a complete study, in the order of its trials.

    Returns
    -------
    list of dict
        With `trial`, `result`, and the `commit` at which the study was last verified; `pandas.json_normalize` makes a
        table of it.

    Raises
    ------
    UserError
        If trials are missing or were done by another configuration; the message says which command does them.
    """
    shelf = _Shelf(study, network, source, profile)
    stock = _take_stock(shelf, _wanted(shelf))
    if stock.missing:
        raise UserError(f"{shelf}: {_status(stock)}: run `{shelf.command}`")
    for state, reason in dict.fromkeys((record["state"], record["reason"]) for record in stock.found.values()):
        if state not in ("current", "here"):
            log.warning("%s: %s: %s", shelf.merged, state, reason)
    return [{name: stock.found[digest][name] for name in ("trial", "result", "commit")} for digest in stock.trials]


def read(name, network, source="bulletin", profile="paper") -> list[dict]:
    """Return the trials and results of a published study, without loading the study's own code.

    Whether trials are missing in it is not looked at; `load` does that, and `seisbook results --check`.

    Parameters
    ----------
    name : str
        Of the study.
    network, source, profile : str

    Returns
    -------
    list of dict
        As of `load`.
    """
    path = records.RESULTS / "studies" / f"{name}-{network}-{source}-{profile}.json"
    content = provenance.load(path, merged_key(name, network, source, profile))
    return [
        {"trial": record["trial"], "result": record["result"], "commit": content["commit"], "state": content["state"]}
        for record in content["records"]
    ]


def merged_key(name, network, source, profile) -> dict:
    """Key of a merged file."""
    return provenance.key(f"study/{name}", network=Path(network).stem, source=source, profile=profile)


# -------------------------------------------------------------------------------------------------------------- records


HOW = ("seisbook", "machine", "threads", "device")  # said once in a merged file
RECORD = ("key", "trial", "result", "seconds")  # said of each trial
HERE = {"commit": "", "state": "here", "reason": ""}  # of a record of this machine's own run
KINDS = {"key": str, "trial": dict, "result": dict, "seconds": (int, float), **dict.fromkeys(HOW, (str, int))}


class _Shelf(NamedTuple):
    """Where the records of a study of one network, source and profile lie."""

    study: Study
    network: str
    source: str
    profile: str

    @property
    def _name(self):
        return f"{Path(self.network).stem}-{self.source}-{self.profile}"  # a network may be the path of a YAML file

    @property
    def folder(self):
        return BUILD / "studies" / self.study.name / self._name

    @property
    def merged(self):
        return records.RESULTS / "studies" / f"{self.study.name}-{self._name}.json"

    @property
    def key(self):
        """Key of the merged file."""
        return merged_key(self.study.name, self.network, self.source, self.profile)

    @property
    def command(self):
        place = f"--network {self.network} --source {self.source} --profile {self.profile}"
        return f"seisbook study run {self.study.name} {place}"

    def __str__(self):
        return f"study {self.study.name} of {self.network} ({self.source}, {self.profile})"


class _Stock(NamedTuple):
    """What there is of a study: trials by the hash of their key, in order; current records by hash; the rest."""

    trials: dict
    found: dict
    stale: int
    corrupt: list

    @property
    def missing(self):
        return {digest: trial for digest, trial in self.trials.items() if digest not in self.found}


def _take_stock(shelf, trials, here=True):
    """What there is of these trials: in the merged file, and, if `here` is asked for, of this machine's own runs."""
    kept, corrupt = _read_folder(shelf.folder) if here else ([], [])
    current, outdated = {}, set()
    for record in kept + _read_merged(shelf):  # a committed record goes before one that was made here
        if trials.get(record["key"]) == record["trial"] and not _moved(record["inputs"]):
            current[record["key"]] = record
        else:
            outdated.add(_text(record["trial"]))
    stale = sum(_text(trial) in outdated for digest, trial in trials.items() if digest not in current)
    return _Stock(trials, current, stale, corrupt)


def _moved(inputs):
    """Whether an input has changed since a result was made from it."""
    return any(provenance.identity(name) not in (content, None) for name, content in inputs.items())


def _wanted(shelf, progress=True):
    """Trials by the hash of their key, as JSON returns them."""
    trials = {}
    given = shelf.study.trials(shelf.network, shelf.source, shelf.profile)
    for trial in tqdm(given, desc="trials", leave=False, delay=2, disable=None if progress else True):
        trial = provenance.plain(trial)
        digest = provenance.digest(trial_key(shelf.study, trial))
        if (same := trials.setdefault(digest, trial)) is not trial:
            raise UserError(f"{shelf}: {trial} is {same} again: let them differ in a key")
    return trials


def trial_key(study, trial) -> dict:
    """Key of one trial of a study."""
    return provenance.key(f"study/{study.name}", trial=trial, config=study.config(trial))


def _text(trial):
    return json.dumps(trial, sort_keys=True)


def _status(stock, failures=()):
    counts = len(stock.trials), len(stock.found), len(stock.missing), stock.stale, len(stock.corrupt)
    return Status(*counts, failures=list(failures))


def _read_folder(folder):
    """Return the records of a folder, and the paths of files that are none."""
    kept, corrupt = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            made_of, body = records.split(path)
            whole = made_of["content"] == records.hash_of(body)
            record = {**json.loads("{" + body), **HERE, "inputs": made_of["inputs"]} if whole else None
        except (DataError, KeyError, ValueError):
            record = None
        except UserError:  # set aside by another runner since
            continue
        whole = _is_record(record) and record["key"] == path.stem
        (kept if whole else corrupt).append(record if whole else path)
    return kept, corrupt


def _is_record(record):
    return isinstance(record, dict) and all(isinstance(record.get(name), kind) for name, kind in KINDS.items())


def _set_aside(paths):
    for path in paths:
        log.warning("%s: damaged, set aside as %s.corrupt and done again", path, path.name)
        try:
            os.replace(path, path.with_name(f"{path.name}.corrupt"))
        except FileNotFoundError:  # another runner was quicker
            continue


def _read_merged(shelf):
    """Return the records of a merged file, each with how it was made; none if there is no such file.

    A damaged one is not set aside, for it can be had back without doing any trial again.
    """
    path = shelf.merged
    if not path.is_file():
        return []
    try:
        content = provenance.load(path, shelf.key, stale=True)
        kept = [{**record, **content["made"][record["made"]]} for record in content["records"]]
    except (KeyError, TypeError, IndexError) as error:
        raise DataError(f"{path}: not a merged study ({error!r}): restore the file from the repository") from None
    broken = [position for position, record in enumerate(kept) if not _is_record(record)]
    if broken:
        raise DataError(f"{path}: records[{broken[0]}]: not a record: restore the file from the repository")
    shared = {name: content[name] for name in ("inputs", "commit", "state", "reason")}
    return [{**shared, **{name: record[name] for name in (*RECORD, *HOW)}} for record in kept]


# -------------------------------------------------------------------------------------------------------------- workers


class _Outcome(NamedTuple):
    """Of one call: how many trials it was given, the new records, the failures."""

    trials: int
    records: list
    failures: list


def _outcomes(shelf, missing, n_jobs, dask, device):
    """Yield the outcome of each call, with its records written."""
    setup = (shelf.study, provenance.code_version(), device)
    if dask:
        return _on_cluster(setup, missing, shelf.folder, dask)
    if device == "cpu" and n_jobs != 1:
        return _in_workers(setup, missing, shelf.folder, n_jobs)
    return (_keep(_carry_out(*setup, call), shelf.folder) for call in _calls(shelf.study, missing, device))


def _calls(study, missing, device="cpu"):
    """What is done in one pass: on a CPU up to `batch` trials of a group, elsewhere a whole group; in order."""
    size = study.batch if device == "cpu" else len(missing)
    calls, open_call = [], {}
    for digest, trial in missing.items():
        key = study.group(trial) if size > 1 else digest
        if len(open_call.get(key, ())) in (0, size):
            open_call[key] = {}
            calls.append(open_call[key])
        open_call[key][digest] = trial
    return calls


def _check_device(study, device):
    if device == "cpu":
        return
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"device {device!r} cannot be used here ({reason}): leave it out to run on CPUs") from None
    if "device" not in inspect.signature(study.run).parameters:
        raise UserError(f"study {study.name} runs on CPUs only: leave out the device {device!r}")


def _in_workers(setup, missing, folder, n_jobs):
    """Worker processes write the records themselves: should this process die, what they finish is not lost."""
    from joblib import Parallel, delayed, parallel_config

    while missing:
        before = len(missing)
        with parallel_config("loky", n_jobs=n_jobs, inner_max_num_threads=1, idle_worker_timeout=IDLE_S):
            workers = Parallel(return_as="generator_unordered")
            calls = (delayed(_work)(setup, call, folder) for call in _calls(setup[0], missing))
            try:
                for digests, outcome in workers(calls):
                    missing = {digest: trial for digest, trial in missing.items() if digest not in digests}
                    yield outcome
            except BrokenProcessPool:
                if len(missing) == before:
                    raise RuntimeError(
                        "worker processes die (out of memory?): records are kept; run again with fewer jobs"
                    ) from None
                log.warning("a worker process died (out of memory?); the trials that it had are done again")


def _work(setup, call, folder):
    return set(call), _keep(_carry_out(*setup, call), folder)


def _keep(outcome, folder):
    """Write the records; they need not travel any further."""
    for made_of, record in outcome.records:
        records.write(folder / f"{record['key']}.json", record, made_of)
    return outcome._replace(records=[])


def _carry_out(study, code, device, call):
    """Run the trials of one call, a dictionary of trials by the hash of their key."""
    keys = [_own_key(study, trial, digest) for digest, trial in call.items()]
    how = {"seisbook": seisbook.__version__, "code": code, "machine": platform.machine(), "device": device}
    made, failures = [], []
    with _one_thread(), provenance.watched() as inputs:
        tried = _attempt(study, list(call.values()), device)
        how["threads"] = _threads()
    for key, (digest, trial), (result, seconds) in zip(keys, call.items(), tried, strict=True):
        if isinstance(result, Failure):
            failures.append(result)
        else:
            record = {"key": digest, "trial": trial, "result": result, "seconds": seconds, **how}
            made.append((provenance.provenance(key, inputs), record))
    return _Outcome(len(call), made, failures)


def _own_key(study, trial, digest):
    """The trial's key in this process, by which the result will be made: no other may be written in its record."""
    key = trial_key(study, trial)
    if provenance.digest(key) == digest:
        return key
    raise UserError(
        f"study {study.name}: a worker has another configuration than the process that started it "
        f"(key {provenance.digest(key)}, not {digest}): give both the same version and start again"
    )


@contextmanager
def _one_thread():
    """One trial at a time in a process, on one thread: results depend neither on neighbours nor on how many cores."""
    with _ONE_TRIAL:
        before = _threads()
        _set_threads(1)
        try:
            yield
        finally:
            _set_threads(before)


def _threads():
    return sys.modules["torch"].get_num_threads() if "torch" in sys.modules else 1


def _set_threads(number):
    if "torch" in sys.modules:  # the study's module has imported it, if it trains anything
        sys.modules["torch"].set_num_threads(number)


def _attempt(study, trials, device):
    """Return each trial's result, or its failure, and its share of the time.

    Where a batched pass fails, its halves are tried, so that only the trials to blame fail.
    """
    start = time.perf_counter()
    try:
        results = study.run(trials) if device == "cpu" else study.run(trials, device=device)
        results = [_plain(result) for result in results]
    except UserError as error:
        if len(trials) == 1:
            return [(Failure(trials[0], str(error)), 0.0)]
        half = len(trials) // 2
        return _attempt(study, trials[:half], device) + _attempt(study, trials[half:], device)
    if len(results) != len(trials):
        raise RuntimeError(f"study {study.name}: {len(results)} results for {len(trials)} trials")
    seconds = round((time.perf_counter() - start) / len(trials), 3)
    return [(result, seconds) for result in results]


def _plain(result):
    """The result as JSON returns it; NumPy's values become Python's."""
    if not isinstance(result, dict):
        raise UserError(f"the result is a {type(result).__name__}: return a dictionary")
    try:
        return json.loads(json.dumps(result, allow_nan=False, default=lambda value: value.tolist()))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"JSON cannot hold the result ({error}): return finite numbers, text and None") from None


def _on_cluster(setup, missing, folder, address):
    """Yield outcomes from a Dask cluster, which gives the trials of a worker that dies to another one."""
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError:
        raise UserError("Dask is not installed: pip install 'seisbook[cluster]'") from None
    try:
        client = Client(address, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"no Dask scheduler answers at {address} ({error}): start one with `dask scheduler`") from None
    with client:
        if not client.nthreads():
            log.warning("%s has no workers yet; start some with `dask worker %s --nthreads 1`", address, address)
        futures = {client.submit(_carry_out, *setup, call, pure=False): call for call in _calls(setup[0], missing)}
        for future in as_completed(futures, loop=client.loop):
            try:
                outcome = future.result()
            except KilledWorker:
                trials = list(futures[future].values())
                message = "each worker that was given it died (out of memory?)"
                outcome = _Outcome(len(trials), [], [Failure(trial, message) for trial in trials])
            except CancelledError:
                raise RuntimeError(
                    f"lost the Dask scheduler at {address}: records are kept; start it, and run again"
                ) from None
            yield _keep(outcome, folder)
