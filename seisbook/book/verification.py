"""Verification of results: trials are run again, and the files get evidence whether the code reproduces them.

Results are verified by *kind*, such as `run/ours` or `study/variance`. At least two trials of a kind, and at least one
of each of its files, are drawn with a fixed seed. They are run again in a fresh process, whose calls are traced. If the
numbers agree within the tolerance of the kind, all files of the kind get the evidence. If not, they are marked as
refuted.
"""

import datetime
import logging
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
from tqdm import tqdm

from seisbook import files, provenance, records, witness
from seisbook.book import chapters
from seisbook.errors import UserError
from seisbook.provenance import WITNESSES

log = logging.getLogger(__name__)
TRIALS = 2  # smallest number of trials that are run again for a kind; each file gives at least one
SEED = 20261126
CHAPTER = "chapter/"  # prefix of the names of chapters' kinds


@dataclass(frozen=True)
class Kind:
    """A kind of results: results that the same code makes.

    All functions are functions of a module or `functools.partial` of one, because they run in another process.

    Parameters
    ----------
    name : str
    files : list of Path
        Records and cards to which the evidence is written.
    trials : list of dict
        Trials that can be run again, each with the `file` that it belongs to, and with its duration `seconds` if it is
        known.
    prepare : callable
        Function of a trial that makes the inputs which the trial loads; it is not traced.
    again : callable
        Function of a trial that runs it and returns two dictionaries by name: the recorded and the new numbers.
    tolerance : float
        Largest relative difference of the numbers that counts as agreement.
    """

    name: str
    files: list[Path]
    trials: list[dict]
    prepare: Callable[[dict], None]
    again: Callable[[dict], tuple[dict, dict]]
    tolerance: float


@dataclass
class Outcome:
    """Outcome of running trials of a kind again."""

    kind: str
    tolerance: float
    trials: list[dict] = field(default_factory=list)
    largest: float = 0.0
    where: str = ""
    seconds: float = 0.0
    unnamed: list[str] = field(default_factory=list)
    reached: set[str] = field(default_factory=set)

    @property
    def agrees(self) -> bool:
        """Whether all numbers agree within the tolerance, and the records name all inputs."""
        return self.largest <= self.tolerance and not self.unnamed

    def add(self, trial, recorded, found):
        """Add a trial: compare its recorded numbers with the new ones, and keep the largest difference."""
        self.trials.append({name: value for name, value in trial.items() if name not in ("file", "seconds")})
        for name in recorded:
            difference = _difference(recorded[name], found.get(name))
            if difference > self.largest:
                self.largest, self.where = difference, f"{name}: {recorded[name]:.6g}, now {found.get(name)}"


def _difference(recorded, found):
    """Relative difference of two numbers, see `seisbook.provenance.FLOOR`; infinite where one is missing."""
    if found is None or not np.isfinite(found) or not np.isfinite(recorded):
        return 0.0 if found is not None and (found == recorded or np.isnan([found, recorded]).all()) else float("inf")
    return abs(found - recorded) / max(abs(found), abs(recorded), provenance.FLOOR)


# ------------------------------------------------------------------------------------------------------------- sampling


def sample(kind: Kind, random_state=SEED) -> list[dict]:
    """Trials of a kind that are run again.

    There are at least `TRIALS` of them, if the kind has so many, and at least one of each file. They are drawn from the
    quicker half of the trials of each file.
    """
    rng = np.random.default_rng([random_state, *kind.name.encode()])
    by_file = {}
    for trial in kind.trials:
        by_file.setdefault(trial["file"], []).append(trial)
    share = -(-TRIALS // max(len(by_file), 1))
    chosen = []
    for trials in by_file.values():
        middle = np.median([trial.get("seconds", 0) for trial in trials])
        quick = [trial for trial in trials if trial.get("seconds", 0) <= middle]
        picked = rng.choice(len(quick), min(share, len(quick)), replace=False)
        chosen += [quick[i] for i in sorted(picked)]
    return chosen


# -------------------------------------------------------------------------------------------------------------- running


def run_again(kind: Kind, trials) -> Outcome:
    """Run trials again in a fresh process, so that no cache hides the calls of a run."""
    if kind.name.startswith(CHAPTER):
        return _chapter_again(kind)
    try:
        return _apart(_run_traced, kind, trials)
    except UserError as error:  # something has to be trained first, which is not a part of the trial
        log.warning("%s: %s", kind.name, error)
        _apart(_prepare, kind.prepare, trials)
        return _apart(_run_traced, kind, trials)


def _apart(function, *arguments):
    """What a function returns in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def _prepare(prepare, trials):
    for trial in trials:
        prepare(trial)


def _run_traced(kind, trials):
    import torch

    torch.set_num_threads(1)  # all trials are run on one thread
    outcome, start = Outcome(kind.name, kind.tolerance), time.perf_counter()
    compared, inputs = [], []
    with witness.traced(provenance.STAGES) as reached:
        for trial in trials:
            with provenance.watched() as loaded:
                compared.append(kind.again(trial))
            inputs.append(loaded)
    for trial, (recorded, rerun), loaded in zip(trials, compared, inputs, strict=True):
        outcome.add(trial, recorded, rerun)
        outcome.unnamed += _unnamed(kind, trial, loaded)
    outcome.seconds = round(time.perf_counter() - start, 1)
    outcome.reached = reached
    return outcome


def _unnamed(kind, trial, loaded):
    """Inputs that a trial loads and that its record does not name, or names with another content."""
    paths = [path for path in kind.files if path.name == trial["file"]] or kind.files
    named = [records.split(path)[0]["inputs"] for path in paths]
    return [name for name, content in loaded.items() if not any(inputs.get(name) == content for inputs in named)]


# ------------------------------------------------------------------------------------------------------------- stamping


def verify(kinds, progress=True) -> list[Outcome]:
    """Run trials of each kind again, and write the outcome as evidence into all of its files.

    Raises
    ------
    UserError
        If code has changed since the last commit; the evidence names the commit.
    """
    commit = provenance.committed()
    outcomes = []
    for kind in tqdm(kinds, "kinds", unit="kind", disable=None if progress else True):
        outcome = run_again(kind, sample(kind))
        stamp(kind, outcome, commit)
        outcomes.append(outcome)
    return outcomes


def stamp(kind: Kind, outcome: Outcome, commit: str) -> None:
    """Write the evidence into all files of a kind, and the functions that its runs reached into `WITNESSES`."""
    table = witness.source().table(outcome.reached)
    packages = provenance.locked(_distributions(witness.source().imports(outcome.reached)))
    known = provenance.witnesses() | {
        kind.name: {"reached": sorted(outcome.reached), "table": table, "packages": packages}
    }
    files.write_whole(WITNESSES, provenance.canonical(known, indent=1) + "\n")
    provenance.forget_witnesses()
    evidence = {
        "kind": kind.name,
        "witness": provenance.witness_hash(table, packages),
        "commit": commit,
        "date": datetime.date.today().isoformat(),
        "trials": outcome.trials,
        "largest_difference": float(f"{min(outcome.largest, 1e9):.3g}"),
        "tolerance": kind.tolerance,
        "seconds": outcome.seconds,
        "agrees": outcome.agrees,
    }
    if outcome.unnamed:
        evidence["unnamed"] = sorted(set(outcome.unnamed))
    for path in kind.files:
        _restamp(path, evidence)


def _restamp(path, evidence):
    """Write the evidence into one file without changing its numbers.

    A record gets no evidence if its numbers were changed by hand or its inputs have changed.
    """
    if path.suffix == ".ipynb":
        chapters.restamp(path, evidence)
        return
    kept, body = records.split(path)
    state = provenance.judge(kept)
    if kept.get("content") != records.hash_of(body) or state.name == "stale":
        log.warning("%s: not stamped: %s", path, state.reason or "its content was changed")
        return
    records.restamp(path, {**kept, "evidence": evidence})


def _distributions(imported):
    """Names of the distributions that top-level modules belong to, as in the lock file."""
    owners = packages_distributions()
    names = {name.lower().replace("_", "-") for module in imported for name in owners.get(module, [])}
    return sorted(names)


def report(outcomes) -> str:
    """Text with one line for each kind: the number of trials, their duration and the outcome."""
    lines = []
    for outcome in outcomes:
        verdict = "agrees" if outcome.agrees else "REFUTED"
        where = f" ({outcome.where})" if outcome.where else ""
        ran = f"{len(outcome.trials)} trials, {outcome.seconds:5.0f} s"
        if outcome.unnamed:
            where += f"; loads what the record does not name: {', '.join(sorted(set(outcome.unnamed)))}"
        lines.append(f"{outcome.kind:24} {verdict:8} {ran}, largest difference {outcome.largest:.3g}{where}")
    return "\n".join(lines)


# ---------------------------------------------------------------------------------------------------------------- kinds


def study_kinds() -> list[Kind]:
    """One kind for each study that has a published record."""
    from seisbook.studies import runner

    kinds = []
    for name in runner.STUDIES:
        files = sorted((records.RESULTS / "studies").glob(f"{name}-*-paper.json"))
        files = [path for path in files if path.stem.rsplit("-", 3)[0] == name]
        if files:
            study = runner.find(name)
            trials = [_study_trial(path, record) for path in files for record in records.read(path)[1]["records"]]
            prepare, again = partial(_prepare_study, name), partial(_study_again, name)
            kinds.append(Kind(f"study/{name}", files, trials, prepare, again, study.tolerance))
    return kinds


def _study_trial(path, record):
    return {"file": path.name, "seconds": record["seconds"], "trial": record["trial"]}


def _prepare_study(name, trial):
    from seisbook.studies import runner

    given = trial["trial"]
    runner.find(name).prepare(given["network"], given["source"], given["profile"])


def _study_again(name, trial):
    from seisbook.studies import runner

    study = runner.find(name)
    content = records.read(records.RESULTS / "studies" / trial["file"])[1]
    recorded = next(record["result"] for record in content["records"] if record["trial"] == trial["trial"])
    (rerun,) = study.run([trial["trial"]])
    return study.summary(recorded), study.summary(provenance.plain(rerun))


def run_kinds() -> list[Kind]:
    """Kinds of the comparison's runs: our models, peers and classical pipeline, with the models that are kept."""
    from seisbook.models.names import OURS, PEERS
    from seisbook.studies.places import MODELS, runs_folder

    kinds = []
    for name, models in (("ours", OURS), ("peers", PEERS), ("classical", ("classical",))):
        paths = [path for path in sorted(runs_folder("paper").glob("*.json")) if path.stem.split("-")[1] in models]
        cards = [path for path in sorted(MODELS.glob("*-random-0.json")) if path.stem.split("-")[1] in models]
        trials = [_run_trial(path) for path in paths]
        if name == "ours":  # the same code trains the others, from twin models that are not published
            trials = [trial for trial in trials if trial["model"] == "dynamic"]
        kinds.append(Kind(f"run/{name}", paths + cards, trials, _prepare_run, _run_again, provenance.RETRAINED))
    return kinds


def _run_trial(path):
    content = records.read(path)[1]
    twin = path.with_name(f"{content['network']}-{content['model']}-twin-0.json")
    before = records.read(twin)[1]["train_s"] if twin.is_file() and content["model"] != "dynamic" else 0
    trial = {name: content[name] for name in ("network", "model", "split", "fold")}
    return {"file": "", "seconds": content["train_s"] + before, **trial}  # a model of the twin that is not published


def _prepare_run(trial):
    from seisbook.catalogues import networks
    from seisbook.datasets.library import load_events
    from seisbook.studies.pretraining import pretrain

    if trial["model"] != "classical":
        pretrain(trial["network"], trial["model"], "paper", False)
        load_events(networks.load(trial["network"]), "bulletin", None, 0, False)


def _run_again(trial):
    from seisbook.studies import runner, runs
    from seisbook.studies.places import record_path

    where = [trial[name] for name in ("network", "model", "split", "fold")]
    recorded = records.read(record_path(*where, "paper"))[1]
    rerun = runs.train_and_test(*where, "paper", False).record
    return runner.medians(recorded["errors"]), runner.medians(rerun["errors"])


def twin_kind() -> Kind:
    """Kind of the models of the twins; they are compared by their errors on new simulated events."""
    from seisbook.studies.places import MODELS

    files = sorted(MODELS.glob("*-twin-*-*.json"))
    trials = [
        {"file": "", "seconds": records.read(path)[1]["metrics"]["train_s"], "model": path.stem} for path in files
    ]
    return Kind("twin", files, trials, _prepare_twin, _twin_again, provenance.RETRAINED)


def _prepare_twin(trial):
    _twin_events(trial)


def _twin_events(trial):
    from seisbook.catalogues import networks
    from seisbook.datasets.library import load_events
    from seisbook.studies import runs

    network = networks.load(trial["model"].split("-")[0])
    return load_events(network, "simulated", runs.TWIN_EVENTS, runs.TWIN_SEED, False)


def _twin_again(trial):
    import tempfile

    from seisbook.measures import evaluation
    from seisbook.models import checkpoints
    from seisbook.studies import pretraining, runner, runs
    from seisbook.studies.places import MODELS

    network, _, model, profile = trial["model"].split("-")
    compared = []
    with tempfile.TemporaryDirectory() as folder:
        again = pretraining.train_on_twin(network, model, profile, Path(folder) / trial["model"], False)
        with provenance.unwatched():  # what the models are compared on is no input of theirs
            events = _twin_events(trial)
            for path in (MODELS / trial["model"], again):
                errors = evaluation.errors(runs.as_locator(*checkpoints.load(path)).predict(events), events)
                compared.append(runner.medians(evaluation.rounded(errors)))
    return tuple(compared)


def robust_kind() -> Kind:
    """Kind of the robust models that are kept; they are trained again and compared by their test errors."""
    from seisbook.studies.places import MODELS

    files = sorted(MODELS.glob("*-robust-*.json"))
    trials = []
    for path in files:
        network, _, split, fold = path.stem.split("-")
        seconds = records.read(path)[1]["metrics"]["train_s"]
        trials.append({"file": path.name, "seconds": seconds, "network": network, "split": split, "fold": int(fold)})
    return Kind("robust", files, trials, _prepare_robust, _robust_again, provenance.RETRAINED)


def _prepare_robust(trial):
    from seisbook.studies import robust_models

    robust_models.of_the_twin(trial["network"], robust_models.MAIN, "paper")
    if trial["split"] != "twin":
        robust_models.parts(trial["network"], trial["split"], trial["fold"])


def _robust_again(trial):
    from seisbook.studies import robust_runs, runner
    from seisbook.studies.places import MODELS

    recorded = records.read(MODELS / trial["file"])[1]["metrics"]
    locator, held, _ = robust_runs.trained(trial["network"], trial["split"], trial["fold"], "paper")
    return runner.medians(recorded), runner.medians(robust_runs.tested(locator, held))


def field_kind() -> Kind:
    """Kind of the conditional normals that are kept; they are fitted again and compared by the law's deviations."""
    from seisbook.models.field_checkpoints import NAME
    from seisbook.studies.field_runs import PUBLISHED, path_of

    files = [path for path in (path_of(name).with_suffix(".json") for name in PUBLISHED) if path.is_file()]
    trials = [{"file": path.name, "region": records.read(path)[1]["region"]} for path in files]
    return Kind(NAME, files, trials, _prepare_field, _field_again, provenance.SAME_WEIGHTS.quantiles)


def _prepare_field(trial):
    from seisbook.datasets.fields import load_fields

    load_fields(trial["region"], "measured")


def _field_again(trial):
    from seisbook.studies import field_runs

    recorded = records.read(field_runs.path_of(trial["region"]).with_suffix(".json"))[1]["metrics"]
    method, _ = field_runs.fitted(trial["region"], "measured")
    return recorded, field_runs.numbers(method)


def summary_kinds() -> list[Kind]:
    """Kinds of the summary records; each record is computed again as a whole."""
    from seisbook.findings.summaries import SUMMARIES

    kinds = []
    for name in SUMMARIES:
        path = records.path_of(name)
        again = partial(_summary_again, name)
        kinds.append(Kind(f"record/{name}", [path], [{"file": name}], _nothing, again, provenance.SUMMED_AGAIN))
    return kinds


def _nothing(trial):
    """Prepare nothing."""


def _summary_again(name, trial):
    from seisbook.findings import summaries

    recorded = records.read(records.path_of(name))[1]
    return _numbers(recorded), _numbers(summaries.computed(name, False)[0])


def _numbers(value, where=""):
    """Numbers of a record by their position; a long list gives the median and the 90 % quantile of absolute values."""
    if isinstance(value, dict):
        return {
            name: number for key, part in value.items() for name, number in _numbers(part, f"{where}/{key}").items()
        }
    if isinstance(value, list) and len(value) > 10 and all(isinstance(part, (int, float)) for part in value):
        return dict(zip((f"{where}:50", f"{where}:90"), np.quantile(np.abs(value), [0.5, 0.9]).tolist(), strict=True))
    if isinstance(value, list):
        return {name: number for i, part in enumerate(value) for name, number in _numbers(part, f"{where}/{i}").items()}
    return {where: float(value)} if isinstance(value, (int, float)) and not isinstance(value, bool) else {}


def chapter_kinds() -> list[Kind]:
    """Kinds of the published chapters; each is executed again as a whole, and the numbers in its outputs compared."""
    tolerance = provenance.SAME_WEIGHTS.event
    return [
        Kind(f"{CHAPTER}{path.stem}", [path], [{"file": path.name}], _nothing, _nothing, tolerance)
        for path in chapters.chapters()
    ]


def _chapter_again(kind):
    """Outcome of executing a chapter again; its kernel traces the calls."""
    start, (path,) = time.perf_counter(), kind.files
    (executed,) = chapters.run([path], "paper", {})
    outcome = _executed(kind, executed)
    outcome.add(kind.trials[0], chapters.printed(path), chapters.printed(executed))
    outcome.seconds = round(time.perf_counter() - start, 1)
    return outcome


def _executed(kind, notebook):
    made_of = chapters.origin(notebook)
    return Outcome(kind.name, kind.tolerance, reached=set(made_of["reached"]))


def publish(chapter: Path) -> Path:
    """Publish a chapter with the evidence that it was just executed at this commit.

    Raises
    ------
    UserError
        If code has changed since the last commit.
    """
    commit = provenance.committed()
    path, executed = chapters.publish(chapter)
    (kind,) = (kind for kind in chapter_kinds() if kind.files == [path])
    outcome = _executed(kind, executed)
    outcome.trials = [{"file": path.name}]
    stamp(kind, outcome, commit)
    return path


def data_kind() -> Kind:
    """Kind of the data from which records were made; the data are built again."""
    trials = [{"file": "", "data": name} for name in provenance.known_data()]
    return Kind("data", [provenance.DATASETS], trials, _nothing, _data_again, provenance.SAME_DATA)


def _data_again(trial):
    _, sums = provenance.known_data()[trial["data"]]["fingerprint"]
    fingerprint = provenance.Fingerprint.of(made(trial["data"]).arrays())
    recorded = dict(enumerate(sums))
    return {str(i): value for i, value in recorded.items()}, {str(i): value for i, value in enumerate(fingerprint.sums)}


def record_data() -> Path:
    """Write the contents and fingerprints of all data from which the published results were made.

    An entry stays as it is if the data that are made now have the same content, so that no result becomes outdated.
    """
    provenance.committed()
    names = sorted({name for path in published() for name in records.split(path)[0]["inputs"] if is_data(name)})
    known, data = provenance.known_data(), {}
    networks = {}
    for name in tqdm(names, "data", unit="set", disable=None):
        with provenance.watched() as loaded:
            arrays = made(name).arrays()
        networks |= {source: content for source, content in loaded.items() if source.startswith("network:")}
        fingerprint = provenance.Fingerprint.of(arrays)
        data[name] = {"content": provenance.content_of(name, arrays), "fingerprint": list(fingerprint)}
        if known.get(name, {}).get("content") == data[name]["content"]:
            data[name] = known[name]
    key = provenance.key("data")
    return records.write(provenance.DATASETS, {"data": data}, provenance.provenance(key, networks), indent=1)


def published() -> list[Path]:
    """Paths of the records of runs and studies, and of the cards of models, that the book publishes."""
    folders = records.RESULTS / "runs", records.RESULTS / "studies", records.RESULTS.parent / "models"
    return [path for folder in folders for path in sorted(folder.glob("*.json"))]


def is_data(name) -> bool:
    """Whether the name of an input is that of a data set or a catalogue."""
    return name.startswith(("events:", "catalogue:"))


def made(name):
    """Events or a catalogue, made again from the sources; `name` is the name in the records."""
    from seisbook.catalogues import regions
    from seisbook.datasets import fields, library, recordings

    kind, _, identifier = name.partition(":")
    if kind == "catalogue":
        from seisbook.catalogues import bulletins, networks

        network, period = identifier.split("-", 1)
        return bulletins.read_period(networks.load(network), period)
    region, source, size, seed = (*identifier.split("-"), "", "", "")[:4]
    if regions.is_region(region):
        place = regions.load(region)
        motion = fields.read(place, source, None if size == "all" else int(size), int(seed), False)
        return fields.Fields.from_motion(motion, place)
    if recordings.are_known(region, source):
        with tempfile.TemporaryDirectory() as folder:
            return library.in_memory(recordings.make(identifier, Path(folder) / identifier))
    return library.make(identifier)


def kinds() -> list[Kind]:
    """All kinds of results, in the order in which they build on each other."""
    models = [twin_kind(), *run_kinds(), robust_kind(), field_kind()]
    return [data_kind(), *models, *study_kinds(), *summary_kinds(), *chapter_kinds()]


def find(names) -> list[Kind]:
    """The kinds with these names.

    Raises
    ------
    UserError
        If there is no such kind; the message lists them.
    """
    known = {kind.name: kind for kind in kinds()}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(f"no kind of results '{unknown[0]}': choose among {', '.join(known)}")
    return [known[name] for name in names]
