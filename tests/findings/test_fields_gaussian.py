"""The Gaussian process beside the other methods, from made-up records whose answer is known."""

import pytest

from seisbook.figures import fields as figures
from seisbook.findings import fields, fields_gaussian
from seisbook.studies import fields_gaussian as study
from tests.findings.test_fields import records


def made(factor, told=("all",)):
    """Records of both studies: the errors of the process are a factor of the conditional normal's."""
    pairs = records(factor, told=told)
    others = [record for record in pairs if record["trial"]["arm"] == "reference"]
    own = [record for record in pairs if record["trial"]["arm"] != "reference"]
    return others, [
        {"trial": record["trial"], "result": {fields_gaussian.METHOD: record["result"][fields.MAIN]}} for record in own
    ]


@pytest.fixture
def joined(monkeypatch):
    """What is published, if Greece has both studies and Italy only one."""
    others, own = made(0.97)
    stored = {("greece", "fields"): others, ("greece", fields_gaussian.STUDY): own, ("italy", "fields-gaussian"): own}
    monkeypatch.setattr(fields, "published", lambda region, study="fields": stored.get((region, study), []))
    return fields_gaussian.published


def test_names_are_those_of_the_study():
    assert study.STUDY.name == fields_gaussian.STUDY
    assert study.METHOD == fields_gaussian.METHOD
    assert fields_gaussian.METHOD in fields.TITLES


def test_the_process_is_one_more_method(joined):
    assert joined("italy") == []
    found = fields.table(joined("greece"))
    row = found.loc[("all", fields_gaussian.METHOD)]
    assert row.ratio == pytest.approx(0.97)
    assert row.verdict == "supported"
    worse = fields.table([*made(1.1)[0], *made(1.1)[1]])
    assert worse.verdict["all", fields_gaussian.METHOD] == "not supported"
    assert ("no source", fields_gaussian.METHOD) not in found.index
    printed = fields.printed({"Greece": found})
    assert (fields.TOLD["all"], fields.TITLES[fields_gaussian.METHOD]) in printed.index
    labels = [text.get_text() for text in figures.forest({"Greece": found}).axes[0].get_yticklabels()]
    assert fields.TITLES[fields_gaussian.METHOD] in labels
