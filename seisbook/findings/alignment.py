"""What the alignment study found: retrieval, zero-shot classification, corrections, and the verdicts on C9 and C10."""

import itertools
from functools import partial

import numpy as np
import pandas as pd
from tqdm import tqdm

from seisbook.datasets import reports
from seisbook.errors import UserError
from seisbook.findings import summaries
from seisbook.findings.quotations import printed, quoting, text
from seisbook.measures import splits
from seisbook.measures.estimates import Estimate, above, bootstrap_ci, counted_ci, estimate, resampled
from seisbook.measures.retrieval import area, balanced_ci, correct_answers, hits, rank_table
from seisbook.measures.splits import FOLDS
from seisbook.studies import runner
from seisbook.studies.arms import CORPORA, FEWEST_OF_CLASS, PLAIN

NAME = "alignment"
RECALLS = (1, 5, 10)
ARM = ["arm", "masking", "split", "paired", "transport", "withheld"]
MAIN = {name: PLAIN[name] for name in ARM}
MASKED = {"none": "in full", "numbers": "without numbers", "places": "without numbers and places"}
WORDS = 32  # principal components of the texts' vectors, from which residuals are predicted
QUANTITIES = ("epicentre", "depth", "magnitude")
BEFORE = "nothing"  # no correction
FULL, SHUFFLED = "estimates and text", "estimates and shuffled text"
CORRECTIONS = {"the mean": (), "estimates": ("estimates",), "text": ("text",), FULL: ("estimates", "text")}


# ------------------------------------------------------------------------------------------------------------- analysis


class _Trials:
    """The alignment trials of a corpus, by arm; results of several seeds together."""

    def __init__(self, trials):
        self.by_arm = {}
        for record in trials:
            if record["trial"]["part"] == "alignment":
                key = tuple(record["trial"][name] for name in ARM)
                self.by_arm.setdefault(key, []).append(record["result"])

    def get(self, **changed):
        """Results of one arm, those of its seeds."""
        return self.by_arm[tuple({**MAIN, **changed}[name] for name in ARM)]


def retrieval(trials) -> list[dict]:
    """Recall of each arm, events to texts and back, with 95 % intervals over events.

    Parameters
    ----------
    trials : list of dict
        Of `seisbook.studies.runner.load`.

    Returns
    -------
    list of dict
        The arm; `at1`, `at5`, `at10` from event to text; `unseen`, recall at 5 of the events whose text was never said
        in training (None if there are too few); `centred`, recall at 5 after centring; `text_at10`; `median_rank`;
        `gallery`, texts to choose from; `gap` before and after centring.
    """
    rows = []
    for key, results in _Trials(trials).by_arm.items():
        if results[0]["rank"] is None:
            continue
        row = dict(zip(ARM, key, strict=True))
        row |= {f"at{k}": list(bootstrap_ci(hits(results, k), np.mean)) for k in RECALLS}
        unseen = ~np.array(results[0]["seen"], bool)
        enough = unseen.sum() >= FEWEST_OF_CLASS
        row["unseen"] = list(bootstrap_ci(hits(results)[unseen], np.mean)) if enough else None
        row |= {"n_unseen": int(unseen.sum()), "gallery": float(np.mean(results[0]["gallery"]))}
        row["median_rank"] = float(np.nanmedian(rank_table(results, "rank").mean(0)))
        if results[0]["centred"] is not None:
            row["centred"] = list(bootstrap_ci(hits(results, values="centred"), np.mean))
            row["text_at10"] = float(np.mean([np.mean(np.array(result["text_rank"]) <= 10) for result in results]))
            row["gap"] = np.mean([np.mean(result["gap"], axis=0) for result in results], axis=0).tolist()
        rows.append(row)
    return rows


def zero_shot(trials) -> list[dict]:
    """Balanced accuracy of each arm that classifies, with intervals over events, and that of a majority vote."""
    rows = []
    for key, results in _Trials(trials).by_arm.items():
        if results[0]["predicted"] is not None and dict(zip(ARM, key, strict=True))["withheld"] is None:
            table = correct_answers(results)
            row = {**dict(zip(ARM, key, strict=True)), "accuracy": list(balanced_ci(table))}
            rows.append({**row, "recall": [table[table[:, 0] == i, 1].mean() for i in np.unique(table[:, 0])]})
    if rows:
        chance = 1 / len(_Trials(trials).get()[0]["classes"])
        rows.append({**MAIN, "arm": "majority", "accuracy": [chance] * 3, "recall": None})
    return rows


def withheld(trials) -> list[dict]:
    """Area under the ROC curve of each withheld class, and of their mean (`class` None), with intervals over events."""
    arms = _Trials(trials)
    names = [name for name in arms.get()[0]["classes"] if _key(arms, withheld=name)]
    rows = []
    for arm, masking in (("aligned", "none"), ("aligned", "places"), ("shuffled", "none")):
        if not names:
            break
        table = _margins(arms, names, arm=arm, masking=masking)
        shared = {"arm": arm, "masking": masking}
        rows.append({**shared, "class": None, "auc": list(counted_ci(partial(_mean_area, table), len(table), n=1000))})
        for i, name in enumerate(names):
            auc = counted_ci(partial(area, table[:, 0] == i, table[:, 1 + i]), len(table), n=500)
            rows.append({**shared, "class": name, "auc": list(auc)})
    return rows


def _key(trials, **changed):
    return tuple({**MAIN, **changed}[name] for name in ARM) in trials.by_arm


def _margins(trials, names, **arm):
    """Class of each classified event, then its margin for each withheld class, whose number names the column."""
    classes = trials.get()[0]["classes"]
    columns = [np.array(trials.get(withheld=name, **arm)[0]["margin"], float) for name in names]
    truth = np.array(trials.get()[0]["truth"], float)
    order = [classes.index(name) for name in names]
    if order != list(range(len(order))):
        raise UserError(f"withheld classes {names} are not the first ones of {classes}: run the study again")
    return np.column_stack([truth, *columns])[truth >= 0]


def _mean_area(table, counts):
    """Mean over withheld classes of the area under the ROC curve, for each resample, see `counted_ci`."""
    return np.mean([area(table[:, 0] == i, table[:, 1 + i], counts) for i in range(table.shape[1] - 1)], axis=0)


# ------------------------------------------------------------------------------------------------------------ verdicts


def judge(trials) -> list[dict]:
    """The verdicts on C9 of one corpus, by the rules in `seisbook.studies.alignment`.

    Returns
    -------
    list of dict
        `question` (retrieval, zero-shot, withheld), `masking`, `against` (the control that it is hardest to beat),
        `value`, `low`, `high` of the difference to it, `n_runs`, `verdict`.
    """
    arms, rows = _Trials(trials), []
    for masking in reports.MASKS:
        results = arms.get(masking=masking)
        others = {name: arms.get(arm=name, masking=masking) for name in ("popularity", "shuffled")}
        if results[0]["rank"] is not None:
            pairs = {name: bootstrap_ci(hits(results) - hits(other), np.mean) for name, other in others.items()}
            rows.append(_hardest("retrieval", masking, pairs, results))
        if results[0]["predicted"] is not None:
            rows.append(_hardest("zero-shot", masking, _differences(arms, masking), results))
    return rows + [_withheld(arms, masking) for masking in ("none", "places") if arms.get()[0]["classes"]]


def _differences(trials, masking):
    own = correct_answers(trials.get(masking=masking))
    chance = 1 / len(np.unique(own[:, 0]))
    controls = {"metadata": trials.get(arm="metadata"), "shuffled": trials.get(arm="shuffled", masking=masking)}
    differences = {name: balanced_ci(own - [0, 1] * correct_answers(other)) for name, other in controls.items()}
    return {"majority": balanced_ci(own - [0, chance]), **differences}


def _withheld(trials, masking):
    names = [name for name in trials.get()[0]["classes"] if _key(trials, withheld=name)]
    own, shuffled = _margins(trials, names, masking=masking), _margins(trials, names, arm="shuffled")

    def difference(counts):
        return _mean_area(own, counts) - _mean_area(shuffled, counts)

    pairs = {"chance": counted_ci(lambda counts: _mean_area(own, counts) - 0.5, len(own), n=1000)}
    pairs["shuffled"] = counted_ci(difference, len(own), n=1000)
    return _hardest("withheld classes", masking, pairs, names)


def _hardest(question, masking, differences, runs):
    """The verdict follows from the control with the smallest lower end."""
    against = min(differences, key=lambda name: differences[name].low)
    smallest = differences[against]
    verdict = above(smallest.low, smallest.high)
    row = {"question": question, "masking": masking, "against": against, **smallest._asdict()}
    return {**row, "n_runs": FOLDS * len(runs), "verdict": verdict}


# ---------------------------------------------------------------------------------------------------------- correction


def residuals(trials, given) -> tuple[np.ndarray, np.ndarray]:
    """Positions in the corpus, and out-of-fold estimates (n, 4): of models trained on the bulletin's other folds.

    Of a corpus without such trials, a twin, all positions and the tower's own estimates.
    """
    parts = [record["result"] for record in trials if record["trial"]["part"] == "residuals"]
    if not parts:
        return np.arange(len(given.source_id)), given.estimates
    estimates = {name: row for part in parts for name, row in zip(part["source_id"], part["estimates"], strict=True)}
    index = np.flatnonzero(np.isin(given.source_id, list(estimates)) & np.isfinite(given.labels).all(1))
    return index, np.array([estimates[name] for name in given.source_id[index]])


def corrections(given, index, estimates, masking, random_state=0) -> list[dict]:
    """Errors before and after a correction of the residuals that was learnt on other folds.

    A ridge regression, its penalty chosen on the training folds, predicts the residuals (east, north, depth,
    magnitude) from the estimates and their squares, from `WORDS` principal components of the text's vector, from both,
    or from both with the texts shuffled.

    Returns
    -------
    list of dict
        `masking`, `by`, `quantity`; `error`, the mean absolute error left, and `ratio`, the `Estimate` of how much that
        is of what the correction by the estimates alone leaves, over events; `against_shuffled`, likewise; `bias`, the
        mean signed error by class (depth and magnitude).
    """
    from seisbook.models import alignment  # loads PyTorch, which reading the record does without

    labels, texts = given.labels[index], np.array(reports.mask(given.texts, masking, given.kind))[index]
    vectors = alignment.encode(texts.tolist())
    shuffled = vectors[np.random.default_rng(random_state).permutation(len(vectors))]
    error, folds = estimates - labels, splits.random_folds(len(labels), FOLDS, random_state + 1)
    own, others = (list(_features(estimates, words, folds)) for words in (vectors, shuffled))
    left = {BEFORE: error} | {name: _corrected(error, folds, own, parts) for name, parts in CORRECTIONS.items()}
    left[SHUFFLED] = _corrected(error, folds, others, CORRECTIONS[FULL])
    absolute = {name: _absolute(error) for name, error in left.items()}
    rows = []
    for name, errors in absolute.items():
        for i, quantity in enumerate(QUANTITIES):
            row = {"masking": masking, "by": name, "quantity": quantity, "error": float(errors[:, i].mean())}
            row["ratio"] = list(_ratio(errors[:, i], absolute["estimates"][:, i]))
            row["against_shuffled"] = list(_ratio(errors[:, i], absolute[SHUFFLED][:, i]))
            rows.append({**row, "bias": _bias(left[name][:, i + 1], given.classes[index]) if i else None})
    return rows


def _features(estimates, vectors, folds):
    """For each fold, what corrections are made from: the estimates with their squares, and the texts' components."""
    from sklearn.preprocessing import StandardScaler  # takes seconds to load, which reading the record does without

    for train, _ in folds:
        tall = StandardScaler().fit(estimates[train]).transform(estimates)
        yield {"estimates": np.hstack([tall, tall**2]), "text": _reduced(vectors, train)}


def _corrected(error, folds, features, parts):
    """Signed errors (n, 4) after the correction."""
    from sklearn.linear_model import RidgeCV  # takes seconds to load, which reading the record does without

    left = error.copy()
    for (train, test), values in zip(folds, features, strict=True):
        table = np.hstack([np.zeros((len(error), 1)), *(values[part] for part in parts)])
        model = RidgeCV(np.logspace(-1, 5, 13), alpha_per_target=True).fit(table[train], error[train])
        left[test] = error[test] - model.predict(table[test])
    return left


def _reduced(vectors, train):
    """Principal components, all divided by the first one's deviation: to scale each would blow up the faint ones."""
    from sklearn.decomposition import PCA  # takes seconds to load, which reading the record does without

    size = min(WORDS, len(np.unique(vectors[train], axis=0)) - 1)
    if size < 1:
        return np.zeros((len(vectors), 1))
    parts = PCA(size, random_state=0).fit(vectors[train]).transform(vectors)
    return parts / parts[train, 0].std()


def _absolute(error):
    """Epicentral, depth and magnitude errors (n, 3) of signed ones (n, 4)."""
    return np.column_stack([np.hypot(error[:, 0], error[:, 1]), np.abs(error[:, 2:])])


def _ratio(errors, others):
    return estimate(np.divide(*resampled([errors, others], np.mean, n=1000)))


def _bias(error, classes):
    """Mean signed error of each class that has enough events."""
    names, count = np.unique(classes, return_counts=True)
    enough = names[count >= FEWEST_OF_CLASS]
    return {str(name): list(bootstrap_ci(error[classes == name], np.mean)) for name in enough}


def judge_correction(rows, quantity, masking="places") -> dict:
    """C10 of one quantity: the harder of the two controls decides."""
    row = correction({"corrections": rows}, masking, FULL, quantity)
    pairs = {"estimates": Estimate(*row["ratio"]), "shuffled": Estimate(*row["against_shuffled"])}
    against = max(pairs, key=lambda name: pairs[name].high)
    largest = pairs[against]
    verdict = above(-largest.high, -largest.low, -1.0)
    return {"quantity": quantity, "masking": masking, "against": against, **largest._asdict(), "verdict": verdict}


# -------------------------------------------------------------------------------------------------------------- record


def compute(progress=True) -> dict:
    """What the complete study says and, for the corrections, the real bulletins."""
    from seisbook.studies import alignment as alignment_study  # loads PyTorch, which reading the record does without

    corpora = {}
    for network, source in tqdm(CORPORA, "alignment", unit="corpus", disable=None if progress else True):
        trials = runner.load(alignment_study.STUDY, network, source, "paper")
        summary = _summary(trials, alignment_study.corpus(network, source, "paper"))
        corpora[f"{network}-{source}"] = {"network": network, "source": source, **summary}
    return {"corpora": corpora}


def _summary(trials, given):
    index, estimates = residuals(trials, given)
    corrected = [row for level in reports.MASKS for row in corrections(given, index, estimates, level)]
    names, counts = np.unique(given.classes, return_counts=True)
    return {
        "kind": given.kind,
        "n_events": len(given.source_id),
        "n_corrected": len(index),
        "n_texts": {level: len(set(reports.mask(given.texts, level, given.kind))) for level in reports.MASKS},
        "classes": dict(zip(names.tolist(), counts.tolist(), strict=True)),
        "named": given.names,
        "retrieval": retrieval(trials),
        "zero_shot": zero_shot(trials),
        "withheld": withheld(trials),
        "verdicts": judge(trials),
        "corrections": corrected,
        "corrected": [judge_correction(corrected, what, level) for level in reports.MASKS[1:] for what in QUANTITIES],
    }


def load() -> dict:
    """Read the record, see `seisbook.provenance.load`."""
    return summaries.load(NAME)


def find(rows, changed, value) -> Estimate | None:
    """Estimate of the arm that differs by `changed` from the aligned model on texts in full; None if there is none."""
    wanted = {**MAIN, **changed}
    values = [row[value] for row in rows if all(row[key] == wanted[key] for key in wanted)]
    return Estimate(*values[0]) if values and values[0] is not None else None


def correction(corpus, masking, by, quantity) -> dict:
    """The row of `corrections` of one masking, correction and quantity."""
    wanted = masking, by, quantity
    return next(row for row in corpus["corrections"] if (row["masking"], row["by"], row["quantity"]) == wanted)


QUOTED = {"full": {}, "numbers": {"masking": "numbers"}, "places": {"masking": "places"}, "region": {"split": "region"}}
QUOTED |= {
    arm.replace(" ", "-"): {"arm": arm}
    for arm in (
        *("shuffled", "popularity", "estimates", "embedding", "untrained"),
        *("metadata", "majority", "supervised", "text", "random words"),
    )
}


@quoting
def quoted(content):
    """What the chapter's prose quotes, by name: `<corpus>-<what>-<arm>`."""
    for name, corpus in content["corpora"].items():
        for arm, changed in QUOTED.items():
            for what, rows, value in (("recall", "retrieval", "at5"), ("zero", "zero_shot", "accuracy")):
                if (measured := find(corpus[rows], changed, value)) is not None:
                    yield (name, what, arm), measured
        for row in corpus["withheld"]:
            yield (name, "withheld", row["arm"], row["masking"], row["class"] or "mean"), row["auc"]
        for masking, quantity in itertools.product(reports.MASKS, QUANTITIES):
            ratio = correction(corpus, masking, FULL, quantity)["ratio"]
            yield (name, quantity, masking), [100 * (bound - 1) for bound in ratio], "+z.2f"  # change in per cent
        for masking, count in corpus["n_texts"].items():
            yield (name, "texts", masking), count, ","


def bias(content, name, quantity="depth") -> pd.DataFrame:
    """Mean signed error of one corpus by class, before and after each correction by texts in full."""
    corpus = content["corpora"][name]
    columns = {by: correction(corpus, "none", by, quantity)["bias"] for by in (BEFORE, "estimates", FULL, SHUFFLED)}
    return pd.DataFrame({by: {kind: text(error) for kind, error in column.items()} for by, column in columns.items()})


def gaps(content) -> pd.DataFrame:
    """The modality gap before and after centring, and what that does to recall at five."""
    rows = {}
    for name, corpus in content["corpora"].items():
        row = next(row for row in corpus["retrieval"] if all(row[key] == MAIN[key] for key in MAIN))
        before, after = row["gap"]
        gap = {"gap": round(before, 2), "centred": round(after, 2)}
        rows[name] = {**gap, "recall at 5": (row["at5"],), "recall, centred": (row["centred"],)}
    return printed(rows)
