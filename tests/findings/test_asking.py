"""Questions in words, put to the published indexes."""

from dataclasses import replace

import numpy as np
import pytest

from seisbook import cli
from seisbook.datasets import reports
from seisbook.findings import asking, text_search
from seisbook.studies.arms import CORPORA


@pytest.fixture(scope="module")
def twin():
    return text_search.Index.load(asking.published("colombia", "simulated"))


PUBLISHED = [tuple(path.name.split("-")[:2]) for path in sorted(asking.PUBLISHED.glob("*.npz"))]


@pytest.mark.parametrize(("network", "source"), PUBLISHED)
def test_published_indexes_are_those_of_the_present_code(network, source):
    expected = text_search.index_path(network, source).name
    assert asking.published(network, source).name == expected, (
        f'make it anew: python -c "from seisbook.findings import asking; asking.publish({network!r}, {source!r})"'
    )


def test_every_twin_can_be_asked_at_once():
    assert {one for one in CORPORA if one[1] == "simulated"} < set(PUBLISHED) <= set(CORPORA)


def test_no_text_of_a_bulletin_is_published():
    for network, source in PUBLISHED:
        index = text_search.Index.load(asking.published(network, source))
        assert index.texts.astype(bool).any() == (source == "simulated")
        assert len(index.source_id) == len(index.placed) >= 1000


def test_classes_are_named_in_both_languages():
    for network, prompts in reports.PROMPTS.items():
        for name, (english, spanish) in prompts.items():
            for prompt in (english, spanish):
                assert name in asking.classes_of(prompt), (network, prompt)
    assert asking.classes_of("cerca de Cali, minutos después") == []


def test_precision_counts_what_was_found(twin):
    question = "explosión en cantera"
    best = np.argsort(-twin.ask(question), kind="stable")[:20]
    hits = (twin.classes[best] == "quarry_blast").sum()
    said = asking.precision(twin, question, n=20)
    assert hits > 5
    assert f"{hits} are of the class quarry blast" in said
    assert f"{hits / 20:.0%}" in said
    assert "not known" in asking.precision(twin, "cerca de Cali")


def test_a_class_that_is_absent_or_rare_is_warned_of(twin):
    assert list(asking.warnings(twin, "volcano")) == []
    for number, text in ((0, "none of these"), (1, "only one event is"), (5, "only 5 events are")):
        kept = np.flatnonzero(twin.classes != "volcanic")
        kept = np.concatenate([kept, np.flatnonzero(twin.classes == "volcanic")[:number]])
        (warning,) = asking.warnings(replace(twin, classes=twin.classes[kept]), "volcano")
        assert warning.startswith(text)
        assert "volcanic" in warning


def test_the_question_of_the_readme_works(capsys):
    question = "sismo inducido cerca de Puerto Gaitán"
    for source, texts in (("bulletin", False), ("simulated", True)):
        assert cli.main(["ask", question, "--network", "colombia", "--source", source]) == 0
        printed = capsys.readouterr()
        share = int(printed.out.split("Precision: ")[1].split("%")[0])
        assert share >= 80
        assert ("Puerto Gaitán." in printed.out) == texts
        assert printed.err == ""
