"""What fine-tuning the event tower adds to retrieval and classification."""

import numpy as np
import pandas as pd

from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import above, bootstrap_ci
from seisbook.measures.retrieval import balanced, balanced_ci, correct_answers, hits
from seisbook.studies.arms import PLAIN

# ------------------------------------------------------------------------------------------------------------- analysis


def gains(frozen, tuned) -> pd.DataFrame:
    """What fine-tuning adds to recall at 5 and to the balanced accuracy of the prompts, paired by event.

    Parameters
    ----------
    frozen, tuned : list of dict
        Of `seisbook.studies.runner.load`: of the studies `alignment` and `alignment-tuned` for one corpus.

    Returns
    -------
    DataFrame
        `masking`, `question`; `frozen` and `tuned`, the two values; `gain`, the difference (`Estimate`); `epochs`, the
        mean number of them that was chosen; `verdict` on the gain being above zero.
    """
    from seisbook.studies.alignment_tuned import MASKINGS  # loads PyTorch, which reading the records does without

    rows = []
    for masking in MASKINGS:
        after = {record["trial"]["seed"]: record["result"] for record in tuned if record["trial"]["masking"] == masking}
        before = [_frozen(frozen, masking, seed) for seed in after]
        epochs = float(np.mean([result["epochs"] for result in after.values()]))
        for question, *values, gain in _questions(before, list(after.values())):
            row = {"masking": masking, "question": question, **dict(zip(("frozen", "tuned"), values, strict=True))}
            rows.append({**row, "gain": gain, "epochs": epochs, "verdict": above(gain.low, gain.high)})
    return pd.DataFrame(rows)


def _frozen(trials, masking, seed):

    wanted = {**PLAIN, "masking": masking, "seed": seed}
    return next(record["result"] for record in trials if wanted.items() <= record["trial"].items())


def _questions(before, after):
    """Of retrieval and classification: the value before, that after, and the difference."""
    old, new = hits(before), hits(after)
    yield "retrieval", old.mean(), new.mean(), bootstrap_ci(new - old, np.mean)
    if after[0]["predicted"] is not None:
        old, new = correct_answers(before), correct_answers(after)
        yield "zero-shot", balanced(old), balanced(new), balanced_ci(new - [0, 1] * old)


@quoting
def quoted(corpora):
    """What the prose quotes, from a name such as `colombia-tuned-retrieval-none` or `colombia-tuned-epochs-none`.

    Parameters
    ----------
    corpora : dict of str to DataFrame
        By network, of `gains`.
    """
    for name, table in corpora.items():
        for row in table.itertuples():
            yield (name, "tuned", row.question, row.masking), row.gain, ".3f"
            yield (name, "tuned", "epochs", row.masking), row.epochs, ".1f"
