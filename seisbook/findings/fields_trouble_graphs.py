"""What the study of graphs with sensors that lie says, beside the methods of `seisbook.findings.fields_trouble`."""

import pandas as pd

from seisbook.findings import fields_trouble
from seisbook.findings.fields import TITLES
from seisbook.findings.fields_trouble import CLEAN, KINDS, PEER
from seisbook.findings.quotations import quoting
from seisbook.measures.estimates import Estimate, below
from seisbook.measures.reconstruction import ratio_of

STUDY, REGION = "fields-trouble-graphs", "italy"
GRAPHS = ("dynamic", "static", "none")


def joined(graphs, others) -> list[dict]:
    """Records of both studies as one for each fold, with the results of all methods.

    Parameters
    ----------
    graphs, others : list of dict
        Of the studies `fields-trouble-graphs` and `fields-trouble` of one region, as `seisbook.studies.runner.read`
        returns them.
    """
    by_fold = {}
    for record in (*others, *graphs):
        by_fold.setdefault(record["trial"]["fold"], {}).update(record["result"])
    return [{"trial": {"fold": fold}, "result": result} for fold, result in sorted(by_fold.items())]


def table(records) -> pd.DataFrame:
    """Errors with trouble, with the conditional normal and with graphs that correct it.

    Parameters
    ----------
    records : list of dict
        Of `joined`.

    Returns
    -------
    DataFrame
        Indexed by `method` and `kind`: `growth` over the same method's error without trouble, an `Estimate`, and its
        `word`; `ratio` to the conditional normal with the same trouble, an `Estimate`, and the `verdict` on "the graph
        helps".
    """
    found, rows = fields_trouble.table(records), {}
    for method in (PEER, *GRAPHS):
        for kind in KINDS:
            one, other = (fields_trouble._sums(records, name, kind)[0] for name in (method, PEER))
            ratio, row = ratio_of(one, other), found.loc[(method, kind)]
            said = {"growth": Estimate(row.growth, row.low, row.high), "word": row.word, "ratio": ratio}
            rows[method, kind] = {**said, "verdict": below(ratio.low, ratio.high, 1.0) if method != PEER else ""}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["method", "kind"])


def printed(found) -> pd.DataFrame:
    """The table as a page prints it, one column for each number.

    Parameters
    ----------
    found : DataFrame
        From `table`.
    """
    rows = {}
    for (method, kind), row in found.iterrows():
        growth = "" if kind == CLEAN else f"{row.growth:.3f}, {row.word}"
        ratio = f"{row.ratio:.3f}, {row.verdict}" if row.verdict else ""
        rows[KINDS[kind], TITLES[method]] = {"growth": growth, "ratio": ratio}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["fault", "method"])


@quoting
def quoted(records):
    """What the prose quotes, from a name such as `lying-dynamic-unit-ratio`.

    Parameters
    ----------
    records : list of dict
        Of `joined`.
    """
    for (method, kind), row in table(records).iterrows():
        yield ("lying", method, kind, "ratio"), row.ratio, ".3f"
