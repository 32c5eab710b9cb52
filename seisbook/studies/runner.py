"""Studies: hundreds of short trainings, each of which is done once, whatever happens to the machine.

A *study* is a list of *trials*, flat dictionaries such as `{"architecture": "dynamic", "partition": 3, "seed": 0}`.
Each trial has one *result*, which is kept with the trial and its recipe as a *record*, a JSON file of its own under
`_build/studies`, named by the hash of the recipe. Whether a trial has been done is asked of these files alone, so that
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
import tempfile
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

import seisbook
from seisbook import records
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
IDLE_S = 10  # after which a worker process without work ends, also where the process that started it was killed
_ONE_TRIAL = threading.Lock()  # a Dask worker has several threads, but PyTorch has one random state a process


def _nothing(network, source, profile):
    """Prepare nothing."""


def _alone(trial):
    """A group for each trial."""
    return _text(trial)


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
    recipe : callable
        A trial to its `seisbook.models.checkpoints.recipe`. Two trials never have the same.
    prepare : callable, optional
        `(network, source, profile)`: makes what all trials share, such as the data set and the trained stem, in the
        calling process before the workers start, if any trial is missing.
    group : callable, optional
        A trial to a hashable key: trials with the same key can be run in one batched pass. Each is run alone if this is
        not given.
    batch : int
        Trials of a group that a CPU does in one pass, where that is faster than one after the other.
    """

    name: str
    trials: Callable[[str, str, str], list[dict]]
    run: Callable[..., list[dict]]
    recipe: Callable[[dict], dict]
    prepare: Callable[[str, str, str], None] = _nothing
    group: Callable[[dict], Hashable] = _alone
    batch: int = 1


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
        Trials; those with a record by the recipe as it is now; the others.
    stale : int
        Of the missing ones, those with a record by another recipe: code or configuration have changed since.
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
            text += f" ({self.stale} of them made by other code or another configuration)"
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
        If there is no such device, no such scheduler, a worker has other code, or two trials have the same recipe.
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
            total=len(stock.recipes),
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
    stock = _take_stock(shelf, _wanted(shelf))
    if not stock.found:
        raise UserError(f"{shelf}: no current record to merge: run `{shelf.command}`")
    kept = [stock.found[digest] for digest in stock.recipes if digest in stock.found]
    hows = [{key: record[key] for key in HOW} for record in kept]
    made = [how for position, how in enumerate(hows) if how not in hows[:position]]
    content = {
        **{"study": study.name, "network": network, "source": source, "profile": profile},
        "seconds": round(sum(record["seconds"] for record in kept), 1),
        "made": made,
        "records": [
            {"made": made.index(how), **{key: record[key] for key in record if key not in HOW}}
            for record, how in zip(kept, hows, strict=True)
        ],
    }
    _write(shelf.merged, content)
    return shelf.merged


def load(study, network, source, profile) -> list[dict]:
    """Return the trials and results of a complete study, in the order of its trials.

    Returns
    -------
    list of dict
        With `trial`, `result` and the version of the `code`; `pandas.json_normalize` makes a table of it.

    Raises
    ------
    UserError
        If trials are missing or were done by another version of the code; the message says which command does them.
    """
    shelf = _Shelf(study, network, source, profile)
    stock = _take_stock(shelf, _wanted(shelf))
    if stock.missing:
        raise UserError(f"{shelf}: {_status(stock)}: run `{shelf.command}`")
    return [{key: stock.found[digest][key] for key in ("trial", "result", "code")} for digest in stock.recipes]


# -------------------------------------------------------------------------------------------------------------- records


HOW = ("seisbook", "code", "machine", "threads", "device")  # said once in a merged file
KEYS = {"recipe": dict, "trial": dict, "result": dict, "seconds": (int, float), **dict.fromkeys(HOW, (str, int))}


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
    def command(self):
        place = f"--network {self.network} --source {self.source} --profile {self.profile}"
        return f"seisbook study run {self.study.name} {place}"

    def __str__(self):
        return f"study {self.study.name} of {self.network} ({self.source}, {self.profile})"


class _Stock(NamedTuple):
    """What there is of a study: recipes and trials by hash, in order; current records by hash; the rest."""

    recipes: dict
    trials: dict
    found: dict
    stale: int
    corrupt: list

    @property
    def missing(self):
        return {digest: trial for digest, trial in self.trials.items() if digest not in self.found}


def _take_stock(shelf, wanted):
    recipes, trials = wanted
    kept, corrupt = _read_folder(shelf.folder)
    found, outdated = {}, set()
    for record in kept + _read_merged(shelf.merged):  # a committed record goes before one that was made here
        digest = record["recipe"]["hash"]
        if recipes.get(digest) == record["recipe"] and trials[digest] == record["trial"]:
            found[digest] = record
        else:
            outdated.add(_text(record["trial"]))
    stale = sum(_text(trial) in outdated for digest, trial in trials.items() if digest not in found)
    return _Stock(recipes, trials, found, stale, corrupt)


def _wanted(shelf, progress=True):
    """Recipes and trials by hash, as JSON returns them."""
    recipes, trials = {}, {}
    given = shelf.study.trials(shelf.network, shelf.source, shelf.profile)
    for trial in tqdm(given, desc="recipes", leave=False, delay=2, disable=None if progress else True):
        trial = _as_json(trial)
        recipe = _as_json(shelf.study.recipe(trial))
        if (same := trials.setdefault(recipe["hash"], trial)) is not trial:
            raise UserError(f"{shelf}: {trial} has the recipe of {same}: give each trial one of its own")
        recipes[recipe["hash"]] = recipe
    return recipes, trials


def _as_json(value):
    """The value as JSON returns it, to compare with what is on disk."""
    return json.loads(json.dumps(value, allow_nan=False))


def _text(trial):
    return json.dumps(trial, sort_keys=True)


def _status(stock, failures=()):
    counts = len(stock.recipes), len(stock.found), len(stock.missing), stock.stale, len(stock.corrupt)
    return Status(*counts, failures=list(failures))


def _read_folder(folder):
    """Return the records of a folder, and the paths of files that are none."""
    kept, corrupt = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:  # set aside by another runner since
            continue
        except ValueError:
            record = None
        whole = _is_record(record) and record["recipe"]["hash"] == path.stem
        (kept if whole else corrupt).append(record if whole else path)
    return kept, corrupt


def _is_record(record):
    whole = isinstance(record, dict) and all(isinstance(record.get(key), kind) for key, kind in KEYS.items())
    return whole and isinstance(record["recipe"].get("hash"), str)


def _set_aside(paths):
    for path in paths:
        log.warning("%s: damaged, set aside as %s.corrupt and done again", path, path.name)
        try:
            os.replace(path, path.with_name(f"{path.name}.corrupt"))
        except FileNotFoundError:  # another runner was quicker
            continue


def _read_merged(path):
    """Return the records of a merged file, each with how it was made; none if there is no such file.

    A damaged one is not set aside, for it can be had back without doing any trial again.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        kept = [{**one, **content["made"][one["made"]]} for one in content["records"]]
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{path}: not a merged study ({error!r}): restore the file from the repository") from None
    broken = [position for position, one in enumerate(kept) if not _is_record(one)]
    if broken:
        raise DataError(f"{path}: records[{broken[0]}]: not a record: restore the file from the repository")
    return [{key: value for key, value in one.items() if key != "made"} for one in kept]


def _write(path, content):
    """Write compact JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False) as file:
        part = Path(file.name)
        try:
            json.dump(content, file, separators=(",", ":"), allow_nan=False)
            file.write("\n")
            file.close()  # a full disk may show only now
            part.chmod(0o644)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)


# -------------------------------------------------------------------------------------------------------------- workers


class _Outcome(NamedTuple):
    """Of one call: how many trials it was given, the new records, the failures."""

    trials: int
    records: list
    failures: list


def _outcomes(shelf, missing, n_jobs, dask, device):
    """Yield the outcome of each call, with its records written."""
    from seisbook.provenance import code_version

    setup = (shelf.study, code_version(), device)
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
    for record in outcome.records:
        _write(folder / f"{record['recipe']['hash']}.json", record)
    return outcome._replace(records=[])


def _carry_out(study, code, device, call):
    """Run the trials of one call, a dictionary of trials by the hash of their recipe."""
    recipes = [_own_recipe(study, trial, digest) for digest, trial in call.items()]
    how = {"seisbook": seisbook.__version__, "code": code, "machine": platform.machine(), "device": device}
    made, failures = [], []
    with _one_thread():
        tried = _attempt(study, list(call.values()), device)
        how["threads"] = _threads()
    for recipe, trial, (result, seconds) in zip(recipes, call.values(), tried, strict=True):
        if isinstance(result, Failure):
            failures.append(result)
        else:
            made.append({"recipe": recipe, "trial": trial, "result": result, "seconds": seconds, **how})
    return _Outcome(len(call), made, failures)


def _own_recipe(study, trial, digest):
    """The trial's recipe in this process, by which the result will be made: no other may be written in its record."""
    recipe = _as_json(study.recipe(trial))
    if recipe["hash"] == digest:
        return recipe
    raise UserError(
        f"study {study.name}: a worker has other code or data than the process that started it "
        f"(recipe {recipe['hash']}, not {digest}): give both the same version and start again"
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
