"""The verdict on claim C0, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook import cli
from seisbook.book import explained
from seisbook.figures import fields as figures
from seisbook.findings import claims, fields

SHARES = ("0.3", "0.95")


def records(factor, folds=3, scatter=0.0, told=("all", "no source")):
    """Records in which the dynamic model's errors are a factor of the conditional normal's."""
    rng = np.random.default_rng(0)
    made = []
    for information in told:
        for fold in range(folds):
            square = rng.exponential(1, (2, 40))
            other = square * factor**2 * np.exp(scatter * rng.normal(size=square.shape) - scatter**2 / 2)
            trial = {"information": information, "fold": fold}
            made.append({"trial": {**trial, "arm": "reference"}, "result": {fields.PEER: scores(square)}})
            made.append({"trial": {**trial, "arm": "dynamic"}, "result": {fields.MAIN: scores(other)}})
    return made


def scores(square):
    few = {"rmse": [0.3] * 5, "covered": [0.9] * 5, "crps": [0.15] * 5}
    return {
        share: {"square": part.tolist(), "count": [20.0] * len(part), **few}
        for share, part in zip(SHARES, square, strict=True)
    }


def test_ratios_and_errors_are_those_that_were_made():
    found = fields.table(records(0.97))
    assert found.ratio[:, "dynamic"].to_numpy() == pytest.approx(0.97)
    assert found.ratio[:, fields.PEER].to_numpy() == pytest.approx(1)
    assert (found.rmse_low < found.rmse).all()
    assert found.loc[("all", "dynamic"), "values"] == 3 * 40 * 20 * 2
    assert found.loc[("all", fields.PEER), "verdict"] == ""


@pytest.mark.parametrize(
    ("factor", "scatter", "word"), [(0.97, 0, "supported"), (1.1, 0, "not supported"), (1.02, 1, "inconclusive")]
)
def test_the_verdict_follows_the_rule(factor, scatter, word):
    found = fields.table(records(factor, scatter=scatter))
    assert set(found.xs("dynamic", level="method").verdict) == {word}
    assert fields.verdict([found]) == word


def test_the_ledger_wants_every_region_and_information():
    good, bad, unclear = (fields.table(records(f, scatter=s)) for f, s in ((0.97, 0), (1.1, 0), (1.02, 1)))
    assert fields.verdict([good, good]) == "supported"
    assert fields.verdict([good, unclear]) == "inconclusive"
    assert fields.verdict([good, unclear, bad]) == "not supported"


def test_methods_with_missing_folds_are_not_compared():
    made = records(0.97, told=("all",))
    found = fields.table([record for record in made if record["trial"] != {**made[-1]["trial"]}])
    assert ("all", "dynamic") not in found.index


def test_errors_by_share_and_by_measure():
    made = records(0.5, told=("all",))
    found = fields.by_share(made)
    assert sorted(set(found.hidden)) == [0.3, 0.95]
    paired = found.pivot(index="hidden", columns="method", values="rmse")
    assert (paired["dynamic"] / paired[fields.PEER]).to_numpy() == pytest.approx(0.5)
    measures = fields.by_measure(made, "all", "dynamic")
    assert measures.index.tolist() == list(fields.MEASURES)
    assert measures["covered"].to_numpy() == pytest.approx(0.9)


def test_the_figures_show_each_method_of_each_region():
    made = records(0.97)
    tables = {"Greece": fields.table(made), "Italy": fields.table(made)}
    figure = figures.forest(tables)
    titles = [axis.get_title(loc="left").replace("\n", " ") for axis in figure.axes]
    assert titles == [fields.TOLD["all"], fields.TOLD["no source"]]
    points = [line for line in figure.axes[0].lines if line.get_marker() in "os" and len(line.get_xdata()) == 1]
    assert [line.get_xdata()[0] for line in points] == pytest.approx([0.97, 0.97])
    shown = figures.by_hidden({"Greece": fields.by_share(made)})
    assert {text.get_text() for text in shown.legends[0].get_texts()} == {
        fields.TITLES[fields.PEER],
        fields.TITLES["dynamic"],
    }


def test_a_region_without_a_record_is_not_run(tmp_path, monkeypatch):
    monkeypatch.setattr(fields.files, "RESULTS", tmp_path)
    assert fields.published("greece") == []
    tested = claims.claims("C0")
    assert [(one.network, one.verdict, one.found) for one in tested] == [
        (region, "not run", "–") for region in fields.REGIONS
    ]
    assert "2 **not run**" in explained.ledger(tested)
    assert ": not run" in explained.explain(tested)
    assert "**not run**" in claims.measurements(tested)
    assert cli.main(["claims", "C0", "--json"]) == 0


def test_the_claim_has_a_row_for_each_region_and_information(monkeypatch):
    made = [{**record, "commit": "abc", "state": "current"} for record in records(0.97)]
    monkeypatch.setattr(fields, "published", lambda region: made if region == "italy" else [])
    missing, *tested = claims.claims("C0")
    assert (missing.network, missing.verdict) == ("greece", "not run")
    assert [one.verdict for one in tested] == ["supported"] * 2
    assert tested[0].estimate == pytest.approx(0.97)
    assert (tested[0].threshold, tested[0].source, tested[0].commit) == (fields.THRESHOLD, "measured", "abc")
    assert fields.TOLD["no source"] in tested[1].measured


def test_what_is_printed_and_quoted():
    tables = {"Greece": fields.table(records(0.97)), "Italy": fields.table(records(1.1))}
    printed = fields.printed(tables)
    assert printed.loc[(fields.TOLD["all"], fields.TITLES["dynamic"]), ("Greece", "ratio")].startswith("0.970 [")
    assert printed.loc[(fields.TOLD["all"], fields.TITLES[fields.PEER]), ("Greece", "ratio")] == ""
    quoted = fields.quoted(tables)
    assert quoted["fields-all-dynamic-ratio"].startswith("0.970 [")
    assert quoted["fields-all-dynamic-ratio"].endswith("in Italy")
    assert quoted["fields-no-source-dynamic-covered"] == "90% in Greece and 90% in Italy"
    assert quoted["fields-all-alone-ratio"] == ""


def test_coverage_is_drawn_for_every_measure():
    measured = {
        ("Italy", method): fields.by_measure(records(0.97), "all", method) for method in (fields.PEER, "dynamic")
    }
    (axis,) = figures.coverage(measured).axes
    assert sum(len(line.get_xdata()) == len(SHARES) for line in axis.lines) >= 2 * len(fields.MEASURES)
