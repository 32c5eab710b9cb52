"""What the alignment study found with the robust model as the event tower, beside the paper's model."""

import numpy as np
import pandas as pd
from tqdm import tqdm

from seisbook.datasets import reports
from seisbook.findings import alignment, summaries
from seisbook.findings.alignment import _summary, _Trials
from seisbook.findings.quotations import quoting, text
from seisbook.measures.estimates import above, bootstrap_ci
from seisbook.measures.retrieval import balanced, balanced_ci, correct_answers, hits
from seisbook.studies import runner
from seisbook.studies.arms import CORPORA

NAME = "alignment-robust"
BULLETINS = tuple(place for place in CORPORA if place[1] == "bulletin")
"""Corpora on which the study was run: those of real events."""
QUESTIONS = {"retrieval": "recall at 5", "zero-shot": "balanced accuracy"}
TOWER = {"supported": "better than", "not supported": "worse than", "inconclusive": "level with"}
"""What the robust tower is, compared with the paper's, by the verdict on it being better."""


# ------------------------------------------------------------------------------------------------------------- analysis


def compared(robust, paper) -> list[dict]:
    """The two towers on the same events, texts and folds: recall at 5, and balanced accuracy of the prompts.

    Parameters
    ----------
    robust, paper : list of dict
        Of `seisbook.studies.runner.load`: of the studies `alignment-robust` and `alignment`, of one corpus.

    Returns
    -------
    list of dict
        `question`, `masking`; `robust`, `paper`, the two values; `value`, `low`, `high` of their difference, paired by
        event; `verdict` on it being above zero.
    """
    ours, theirs, rows = _Trials(robust), _Trials(paper), []
    for masking in reports.MASKS:
        own, other = (trials.get(masking=masking) for trials in (ours, theirs))
        for question, (of, measure, difference) in _questions(own[0]).items():
            new, old = of(own), of(other)
            gain = difference(new, old)
            row = {"question": question, "masking": masking, "robust": measure(new), "paper": measure(old)}
            rows.append({**row, **gain._asdict(), "verdict": above(gain.low, gain.high)})
    return rows


def _questions(result):
    """Of each question that the corpus answers: the values of events, their summary, and the paired difference."""
    questions = {"retrieval": (hits, np.nanmean, _more_hits)}  # NaN: a fold with a single text has no choice
    if result["predicted"] is not None:
        questions["zero-shot"] = (correct_answers, balanced, lambda new, old: balanced_ci(new - [0, 1] * old))
    return questions


def _more_hits(new, old):
    return bootstrap_ci(new - old, np.mean)


# -------------------------------------------------------------------------------------------------------------- record


def compute(progress=True) -> dict:
    """What the study of the real bulletins says, as `seisbook.findings.alignment`, and the two towers `compared`."""
    from seisbook.studies import alignment as paper_study  # loads PyTorch, which reading the record does without
    from seisbook.studies import alignment_robust as robust_study

    corpora = {}
    for network, source in tqdm(BULLETINS, NAME, unit="corpus", disable=None if progress else True):
        trials = runner.load(robust_study.STUDY, network, source, "paper")
        paper = runner.load(paper_study.STUDY, network, source, "paper")
        summary = _summary(trials, paper_study.corpus(network, source, "paper"))  # the trials hold its tower's results
        where = {"network": network, "source": source}
        corpora[f"{network}-{source}"] = {**where, **summary, "compared": compared(trials, paper)}
    return {"corpora": corpora}


def load() -> dict:
    """Read the record, see `seisbook.provenance.load`."""
    return summaries.load(NAME)


def table(content) -> pd.DataFrame:
    """The two towers as a page prints them: a row for each corpus, question and kind of texts."""
    rows = []
    for corpus in content["corpora"].values():
        for row in corpus["compared"]:
            rows.append(
                {
                    "network": corpus["network"].capitalize(),
                    "question": f"{row['question']}: {QUESTIONS[row['question']]}",
                    "texts": alignment.MASKED[row["masking"]],
                    "paper's model": f"{row['paper']:.2f}",
                    "robust model": f"{row['robust']:.2f}",
                    "difference": text([row[name] for name in ("value", "low", "high")]),
                    "better tower": row["verdict"],
                }
            )
    return pd.DataFrame(rows).set_index(["network", "question", "texts"])


def quoted(content) -> dict[str, str]:
    """What the prose quotes: the names of `seisbook.findings.alignment.quoted`, with `robust-` before them, and more.

    A name such as `robust-colombia-bulletin-better-retrieval-none` stands for the difference of two towers, one with
    `tower` in place of `better` for a word of `TOWER`.
    """
    said = {f"robust-{name}": text for name, text in alignment.quoted(content).items()}
    return said | _differences(content)


@quoting
def _differences(content):
    for name, corpus in content["corpora"].items():
        for row in corpus["compared"]:
            difference = {key: row[key] for key in ("value", "low", "high")}
            key = row["question"], row["masking"]
            yield ("robust", name, "better", *key), difference, ".3f"
            yield ("robust", name, "tower", *key), TOWER[row["verdict"]], ""
