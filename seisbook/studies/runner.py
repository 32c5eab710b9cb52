"""Studies: hundreds of short trainings; each is done once, even if the machine stops in between.

A *study* is a list of *trials*, flat dictionaries such as `{"architecture": "dynamic", "partition": 3, "seed": 0}`.
Each trial has one *result*. It is stored with the trial and its provenance as a *record*: a JSON file of its own under
`_build/studies`, named by the hash of its key. These files alone tell whether a trial has been done. A study that was
stopped for any reason therefore continues with its missing trials. `merge` writes all records of a study to one file in
`data/results/studies`, which is committed. A fresh clone then has no trials to run.
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
import seisbook.catalogues.networks
from seisbook import files, provenance, records
from seisbook.errors import DataError, UserError
from seisbook.paths import BUILD

log = logging.getLogger(__name__)
STUDIES = {
    "ablations": "seisbook.studies.ablations",
    "alignment": "seisbook.studies.alignment",
    "alignment-robust": "seisbook.studies.alignment_robust",
    "alignment-tuned": "seisbook.studies.alignment_tuned",
    "associators": "seisbook.studies.associators",
    "attention-robust": "seisbook.studies.attention_robust",
    "augmentation": "seisbook.studies.augmentation",
    "felt": "seisbook.studies.felt",
    "fields": "seisbook.studies.fields",
    "fields-attention": "seisbook.studies.fields_attention",
    "fields-depth": "seisbook.studies.fields_depth",
    "fields-gaussian": "seisbook.studies.fields_gaussian",
    "fields-imbalance": "seisbook.studies.fields_imbalance",
    "fields-inversion": "seisbook.studies.fields_inversion",
    "fields-learning": "seisbook.studies.fields_learning",
    "fields-together": "seisbook.studies.fields_together",
    "fields-trouble": "seisbook.studies.fields_trouble",
    "fields-trouble-graphs": "seisbook.studies.fields_trouble_graphs",
    "fields-variance": "seisbook.studies.fields_variance",
    "graph-forms": "seisbook.studies.graph_forms",
    "imbalance": "seisbook.studies.imbalance",
    "imbalance-robust": "seisbook.studies.imbalance_robust",
    "informative": "seisbook.studies.informative",
    "peers-robust-stem": "seisbook.studies.peers_robust_stem",
    "real": "seisbook.studies.real",
    "real-eqtransformer": "seisbook.studies.real_eqtransformer",
    "real-outside": "seisbook.studies.real_outside",
    "robust": "seisbook.studies.robust",
    "robust-folds": "seisbook.studies.robust_folds",
    "robustness": "seisbook.studies.robustness",
    "robustness-peers": "seisbook.studies.robustness_peers",
    "smoothing": "seisbook.studies.smoothing",
    "smoothing-robust": "seisbook.studies.smoothing_robust",
    "transfer": "seisbook.studies.transfer",
    "transfer-robust": "seisbook.studies.transfer_robust",
    "variance": "seisbook.studies.variance",
    "variance-robust": "seisbook.studies.variance_robust",
}
"""Name of each study, and the module that defines it as `STUDY`; the module is imported when the study is asked for."""
ON_FETCHED = ("ablations", "augmentation", "imbalance", "imbalance-robust", "smoothing", "smoothing-robust")
ON_FETCHED += ("transfer", "transfer-robust", "variance", "variance-robust")
"""Studies that also run on fetched seismograms of a bulletin's events. The others compare with models that were trained
on the rendered bulletin, or read its texts."""
ERRORS = ("epicentral_km", "magnitude", "magnitude_rmse")  # names, in results, of the errors that rules look at
SUMMED = ("epicentral_km.median", "magnitude.rmse")  # places of the same errors in a summary

IDLE_S = 10  # a worker process without work ends after this time, even if its parent process was killed
_ONE_TRIAL = threading.Lock()  # a Dask worker has several threads, but PyTorch has one random state per process


def _nothing(network, source, profile):
    """Prepare nothing."""


def _alone(trial):
    """Key of a group that holds this trial only."""
    return _text(trial)


def medians(result, where="") -> dict[str, float]:
    """Medians of the absolute errors that rules look at, and the RMSE of magnitudes, by their place in a result."""
    numbers = {}
    for name, value in result.items() if isinstance(result, dict) else enumerate(result):
        place = f"{where}{name}"
        if isinstance(value, dict) or (isinstance(value, list) and value and isinstance(value[0], dict)):
            numbers |= medians(value, f"{place}.")
        elif name in ERRORS and isinstance(value, list):
            numbers[place] = float(np.nanmedian(np.abs(np.array(value, float))))
        elif isinstance(value, float) and (name in ERRORS or place.endswith(SUMMED)):
            numbers[place] = abs(value)
    return numbers


@dataclass(frozen=True)
class Study:
    """A study: its name, trials, functions and tolerance.

    All functions are functions of a module (or `functools.partial` of one), so that worker processes can import them.

    Parameters
    ----------
    name : str
    trials : callable
        Function of `(network, source, profile)` that returns the list of trials, in the order in which they are run.
        Trials hold plain JSON values.
    run : callable
        Function of a list of trials that returns the list of their results: dictionaries that JSON can hold, with None
        for values that are not finite. On CPUs it gets up to `batch` trials of a group in one call. A study for GPUs
        takes the keyword `device="cuda"` and then gets all missing trials of a group in one call. The result of a trial
        must not depend on the other trials of the call.
    config : callable
        Function of a trial that returns its resolved configuration: plain values and dataclasses.
    prepare : callable, optional
        Function of `(network, source, profile)` that makes what all trials share, such as the data set and the trained
        stem. If trials are missing, it runs in the calling process before the workers start.
    group : callable, optional
        Function of a trial that returns a hashable key. Trials with the same key can be run in one batched pass. By
        default each trial is run alone.
    batch : int
        Number of trials of a group that a CPU runs in one pass; more than one where this is faster.
    summary : callable, optional
        Function of a result that returns the numbers, by name, which a second run of the trial must reproduce.
    tolerance : float
        Largest relative difference of these numbers that counts as agreement.
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
    """A trial that failed, and the reason."""

    trial: dict
    message: str


@dataclass(frozen=True)
class Status:
    """Progress of a study: counts of its trials by state.

    Parameters
    ----------
    total, done, missing : int
        Numbers of all trials, of those with a record of the current configuration and inputs, and of the other trials.
    stale : int
        Number of missing trials that have a record of another configuration or of other inputs.
    corrupt : int
        Number of files that are not valid records because they are damaged or cut off. The next run sets them aside.
    failures : list of Failure
        Failed trials of the run that has just ended.
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


def check_source(name: str, network, source) -> None:
    """Refuse a study on the fetched seismograms of a bulletin, if its design does not permit that.

    Raises
    ------
    UserError
    """
    if source != "waveform" or name in ON_FETCHED:
        return
    from seisbook.datasets import fetched  # loads ObsPy

    if fetched.are_wanted(network, source):
        raise UserError(
            f"{name}: not with fetched seismograms of {network}: its design needs the rendered ones: choose another "
            f"--source, or one of the studies {', '.join(ON_FETCHED)}"
        )


def run(study, network, source, profile, *, n_jobs=1, dask=None, device="cpu", progress=True) -> Status:
    """Run all missing trials, and write a record of each as soon as it is done.

    On CPUs each trial has one thread, so that results do not depend on the number of workers. Records that were written
    are kept if the run stops. The next run does only the missing trials.

    Parameters
    ----------
    study : Study
    network, source, profile : str
        Arguments of `study.trials`.
    n_jobs : int
        Number of worker processes; with 1, the trials run in this process.
    dask : str, optional
        Address of a Dask scheduler, such as `tcp://10.0.0.1:8786`, whose workers run the trials. The workers need the
        same version of SeisBook and its data. The calling process writes the records.
    device : str
        With another device than `cpu`, the trials run in this process, each group in one batched pass.
    progress : bool

    Returns
    -------
    Status
        Status with the failed trials and their reasons. A failed trial does not stop the other trials.

    Raises
    ------
    UserError
        If the device or the scheduler does not exist, a worker has another configuration, or two trials are the same.
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
    """Progress of a study, without running or changing anything."""
    shelf = _Shelf(study, network, source, profile)
    return _status(_take_stock(shelf, _wanted(shelf)))


def state(study, network, source, profile) -> provenance.State:
    """State of a study's published record; it is also stale if trials are missing in it."""
    shelf = _Shelf(study, network, source, profile)
    published = provenance.state(shelf.merged, shelf.key)
    if published.name in ("current", "unverified"):
        stock = _take_stock(shelf, _wanted(shelf, progress=False), here=False)
        if stock.missing:
            return provenance.State("stale", str(_status(stock)))
    return published


def merge(study, network, source, profile) -> Path:
    """Write all current records of a study to the committed file; the same records give the same bytes.

    Returns
    -------
    Path
        `data/results/studies/<name>-<network>-<source>-<profile>.json`. The file holds the total time in seconds, the
        records, and under `made` each combination of code version and machine that made records, once.

    Raises
    ------
    UserError
        If there is no current record, so that the file would be empty.
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
        evidence = None  # the evidence belongs to other numbers
    return records.write(shelf.merged, content, provenance.provenance(shelf.key, inputs, evidence))


def _refuse_uncommitted(shelf, kept):
    """Raise an error if a record was made while the code differed from the last commit."""
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
        Dictionaries with `trial`, `result`, and the `commit` at which the study was last verified.
        `pandas.json_normalize` makes a table of them.

    Raises
    ------
    UserError
        If trials are missing or were done by another configuration. The message gives the command that runs them.
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

    Missing trials are not noticed here. `load` and `seisbook results --check` look for them.

    Parameters
    ----------
    name : str
        Name of the study.
    network, source, profile : str

    Returns
    -------
    list of dict
        Dictionaries as `load` returns them, with the `state` of the record.
    """
    content = provenance.load(_published(name, network, source, profile), merged_key(name, network, source, profile))
    return [
        {"trial": record["trial"], "result": record["result"], "commit": content["commit"], "state": content["state"]}
        for record in content["records"]
    ]


def networks_of(name, source="bulletin", profile="paper") -> list[str]:
    """The book's networks for which a study has been published, in the book's order.

    Parameters
    ----------
    name : str
        Name of the study.
    source, profile : str
    """
    book = seisbook.catalogues.networks.NETWORKS
    return [network for network in book if _published(name, network, source, profile).is_file()]


def _published(name, network, source, profile):
    """Path of a merged file."""
    return records.RESULTS / "studies" / f"{name}-{network}-{source}-{profile}.json"


def merged_key(name, network, source, profile) -> dict:
    """Provenance key of a merged file."""
    return provenance.key(f"study/{name}", network=Path(network).stem, source=source, profile=profile)


# -------------------------------------------------------------------------------------------------------------- records


HOW = ("seisbook", "machine", "threads", "device")  # keys that a merged file stores once for many trials
RECORD = ("key", "trial", "result", "seconds")  # keys that a merged file stores for each trial
HERE = {"commit": "", "state": "here", "reason": ""}  # values for a record that this machine made
KINDS = {"key": str, "trial": dict, "result": dict, "seconds": (int, float), **dict.fromkeys(HOW, (str, int))}


class _Shelf(NamedTuple):
    """Paths and key of the records of a study for one network, source and profile."""

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
        return _published(self.study.name, Path(self.network).stem, self.source, self.profile)

    @property
    def key(self):
        """Provenance key of the merged file."""
        return merged_key(self.study.name, self.network, self.source, self.profile)

    @property
    def command(self):
        place = f"--network {self.network} --source {self.source} --profile {self.profile}"
        return f"seisbook study run {self.study.name} {place}"

    def __str__(self):
        return f"study {self.study.name} of {self.network} ({self.source}, {self.profile})"


class _Stock(NamedTuple):
    """Records of a study that exist.

    It holds the trials by the hash of their key, in order, the current records by hash, the number of stale trials and
    the paths of damaged files.
    """

    trials: dict
    found: dict
    stale: int
    corrupt: list

    @property
    def missing(self):
        return {digest: trial for digest, trial in self.trials.items() if digest not in self.found}


def _take_stock(shelf, trials, here=True):
    """Existing records of these trials: from the merged file and, if `here` is true, from runs on this machine."""
    kept, corrupt = _read_folder(shelf.folder) if here else ([], [])
    current, outdated = {}, set()
    for record in kept + _read_merged(shelf):  # a committed record replaces one that was made here
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
    """Trials of the study by the hash of their key, with values as JSON returns them."""
    trials = {}
    given = shelf.study.trials(shelf.network, shelf.source, shelf.profile)
    for trial in tqdm(given, desc="trials", leave=False, delay=2, disable=None if progress else True):
        trial = provenance.plain(trial)
        digest = provenance.digest(trial_key(shelf.study, trial))
        if (same := trials.setdefault(digest, trial)) is not trial:
            raise UserError(f"{shelf}: {trial} is {same} again: let them differ in a key")
    return trials


def trial_key(study, trial) -> dict:
    """Provenance key of one trial of a study."""
    return provenance.key(f"study/{study.name}", trial=trial, config=study.config(trial))


def _text(trial):
    return json.dumps(trial, sort_keys=True)


def _status(stock, failures=()):
    counts = len(stock.trials), len(stock.found), len(stock.missing), stock.stale, len(stock.corrupt)
    return Status(*counts, failures=list(failures))


def _read_folder(folder):
    """Return the records of a folder, and the paths of the files that are not valid records."""
    kept, corrupt = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            made_of, body = records.split(path)
            whole = made_of["content"] == records.hash_of(body)
            record = {**json.loads("{" + body), **HERE, "inputs": made_of["inputs"]} if whole else None
        except (DataError, KeyError, ValueError):
            record = None
        except UserError:  # another runner has set the file aside in the meantime
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
        except FileNotFoundError:  # another runner has set it aside already
            continue


def _read_merged(shelf):
    """Return the records of a merged file, each with the keys of `HOW`; an empty list if the file does not exist.

    A damaged file is not set aside, because it can be restored from the repository without running any trial again.
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
    """Outcome of one call: the number of its trials, the new records and the failures."""

    trials: int
    records: list
    failures: list


def _outcomes(shelf, missing, n_jobs, dask, device):
    """Outcomes of the calls, one after the other; the records of an outcome have been written."""
    setup = (shelf.study, provenance.code_version(), device)
    if dask:
        return _on_cluster(setup, missing, shelf.folder, dask)
    if device == "cpu" and n_jobs != 1:
        return _in_workers(setup, missing, shelf.folder, n_jobs)
    return (_keep(_carry_out(*setup, call), shelf.folder) for call in _calls(shelf.study, missing, device))


def _calls(study, missing, device="cpu"):
    """Trials of each pass, in order: on a CPU up to `batch` trials of a group, on other devices the whole group."""
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
    """Yield outcomes from worker processes, which write the records: these are kept if this process dies."""
    try:
        yield from _worked_through(setup, missing, folder, n_jobs)
    finally:
        if folder.is_dir():
            files.remove_leftovers(folder)  # of a worker that was killed while it wrote


def _worked_through(setup, missing, folder, n_jobs):
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
    """Write the records of an outcome, and return the outcome without them."""
    for made_of, record in outcome.records:
        records.write(folder / f"{record['key']}.json", record, made_of)
    return outcome._replace(records=[])


def _carry_out(study, code, device, call):
    """Outcome of one call; `call` is a dictionary of trials by the hash of their key."""
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
    """Key of the trial in this process, which makes the result; an error if the caller's hash of the key differs."""
    key = trial_key(study, trial)
    if provenance.digest(key) == digest:
        return key
    raise UserError(
        f"study {study.name}: a worker has another configuration than the process that started it "
        f"(key {provenance.digest(key)}, not {digest}): give both the same version and start again"
    )


@contextmanager
def _one_thread():
    """Context for one trial at a time, on one thread: results depend neither on other trials nor on the cores."""
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
    if "torch" in sys.modules:  # a study that trains has imported PyTorch by now
        sys.modules["torch"].set_num_threads(number)


def _attempt(study, trials, device):
    """Return for each trial its result or failure, and its share of the time.

    If a batched pass fails, its halves are run separately, so that only the trials that cause the error fail.
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
    """The result as JSON returns it, with Python values instead of NumPy values."""
    if not isinstance(result, dict):
        raise UserError(f"the result is a {type(result).__name__}: return a dictionary")
    try:
        return json.loads(json.dumps(result, allow_nan=False, default=lambda value: value.tolist()))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"JSON cannot hold the result ({error}): return finite numbers, text and None") from None


def _on_cluster(setup, missing, folder, address):
    """Yield outcomes from a Dask cluster; if a worker dies, the cluster gives its trials to another worker."""
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
