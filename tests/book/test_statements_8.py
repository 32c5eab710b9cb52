"""What chapter 8 says in its own words, held against the records of the fields study."""

import pytest

from seisbook.findings import fields
from tests.book.prose import says

REGIONS = [name for name in fields.REGIONS if fields.published(name)]


@pytest.fixture(scope="module", params=REGIONS)
def table(request):
    return fields.table(fields.published(request.param))


def test_the_correction_gains_most_without_the_source(table):
    says("08_fields", "The correction gains most where the source is not known.")
    ratio = table.xs("dynamic", level="method").ratio
    assert ratio.idxmin() == "no source"
    assert table.loc[("no source", "dynamic"), "high"] < table.loc[("all", "dynamic"), "low"]


def test_the_gain_does_not_come_from_the_edges(table):
    says("08_fields", "what the correction gains does not come from the edges")
    assert table.loc[("all", "none"), "high"] < 1
    assert abs(table.loc[("all", "none"), "ratio"] - table.loc[("all", "dynamic"), "ratio"]) < 0.005


def test_terms_of_stations_are_worth_more_than_a_correction(table):
    says("08_fields", "are worth more than any correction by a graph")
    without, with_terms = (table.loc[(told, fields.PEER), "rmse"] for told in ("no site terms", "all"))
    assert with_terms < table.xs("no site terms", level="information").rmse.min()
    assert with_terms / without < table.xs(fields.MAIN, level="method").ratio[["all", "no site terms"]].min()
