"""The variance study of the robust model: the same partitions and seeds for its dynamic graph and for a static one.

The design is that of `seisbook.studies.variance`: the same external test events, the same random partitions and blocks
of time, and results of the same form. The graph part is trained on what the frozen stem of the twin has read, see
`seisbook.studies.frozen_stem`.

A training starts from the twin's model of its arm. A seed therefore determines the order of the events, the troubled
copies that are shown and the stations that are left out, but no initial weights.

The rule for claim C3 is that of the paper's model, `seisbook.measures.variance_ratio.verdict`: the ratio of the means
of the data-induced variances of epicentre and magnitude on random partitions, dynamic graph over static graph. The
claim is supported if the interval lies below 1. Blocks of time stand beside it and decide nothing. The rule was written
before the study was run.

Two more arms, one without edges and one with attention in place of the graph, were trained on five partitions with two
seeds. Their ratios had no finite intervals, so they are left out.
"""

from dataclasses import dataclass

from seisbook.studies import frozen_stem, robust_models, runner, variance
from seisbook.studies.robust_models import ARMS, MAIN, RECIPES, TWIN_SEED

STATIC = "static graph"


@dataclass(frozen=True)
class Size:
    """Size of a profile: random partitions and seeds, blocks of time, steps.

    Parameters
    ----------
    partitions, seeds : int
        Random partitions of the dynamic and the static graph, in five folds each time, and their seeds.
    blocks, block_seeds : int
        Blocks of time, and the seeds on them.
    steps : int
        Of each training, see `seisbook.studies.frozen_stem.locator`.
    """

    partitions: int
    seeds: int
    blocks: int
    block_seeds: int
    steps: int


SIZES = {"quick": Size(2, 2, 1, 1, 2), "paper": Size(10, 3, 5, 2, 42)}


def trials(network, source, profile) -> list[dict]:
    """All trainings, those that decide first. The keys are those of `seisbook.studies.variance`."""
    size = SIZES[profile]
    parts = [("random", size.partitions, size.seeds), ("time", size.blocks, size.block_seeds)]
    common = {"network": network, "source": source, "profile": profile, "part": "crossed", "n_train": None}
    return [
        {**common, "arm": arm, "split": split, "partition": i, "seeds": [seed] * 3}
        for split, partitions, seeds in parts
        for i in range(partitions)
        for seed in range(seeds)
        for arm in (MAIN, STATIC)
    ]


def run(trials) -> list[dict]:
    """Train the graph parts of trials on the same training events; results as of `seisbook.studies.variance.run`."""
    first = trials[0]
    read = _read(first["network"], first["source"], first["profile"])
    train, test = variance._part(read.fold.events, read.fold.train, first)
    shown, results, model = read.part(train), [], None
    for trial in trials:
        steps = SIZES[trial["profile"]].steps
        where = trial["network"], trial["arm"], trial["profile"], trial["seeds"][0]
        locator = frozen_stem.locator(*where, steps, len(train)).fit_like(*shown, model)
        model = locator.model_
        results.append(_result(locator, read, train, test))
    return results


def _read(network, source, profile):
    return frozen_stem.unseen(robust_models.first_fold_readings(network, source, profile))


def _result(locator, read, train, test):
    external = read.fold.test
    found, of_fold = (variance._estimates(frozen_stem.predict(locator, read, index)) for index in (external, test))
    return variance._result(read.fold.events, external, found, test, of_fold, len(train))


def group(trial):
    """Trials of the same training events."""
    return trial["split"], trial["partition"]


def config(trial) -> dict:
    """Configuration of a trial: what its arm changes, the recipe and the number of steps."""
    recipe = RECIPES[trial["profile"]]
    return {
        "arm": ARMS[trial["arm"]],
        "training": [recipe.twin_events, TWIN_SEED, recipe.twin, recipe.training],
        "steps": SIZES[trial["profile"]].steps,
    }


def prepare(network, source, profile):
    """Train both arms on the twin and let its stem read the events, before the workers start."""
    for arm in (MAIN, STATIC):
        robust_models.of_the_twin(network, arm, profile)
    robust_models.first_fold_readings(network, source, profile)


STUDY = runner.Study("variance-robust", trials, run, config, prepare, group, batch=6)
