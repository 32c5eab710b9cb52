from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from seisbook import provenance, records
from seisbook.catalogues import networks
from seisbook.datasets import reports
from seisbook.errors import UserError
from seisbook.figures import alignment as alignment_figures
from seisbook.findings import alignment as alignment_results
from seisbook.findings import text_search
from seisbook.measures.estimates import Estimate, bootstrap_ci
from seisbook.models.alignment import AlignmentConfig
from seisbook.studies import alignment as alignment_study
from seisbook.studies import arms
from seisbook.studies.alignment import Corpus

CLASSES = ("tectonic", "deep_nest", "induced")
PLACES = {"tectonic": "Pasto", "deep_nest": "Bucaramanga", "induced": "Puerto Gaitan"}


def made_up(n=90, random_state=0) -> Corpus:
    """Events of three classes, whose vectors and texts tell of the class and of two places in each."""
    rng = np.random.default_rng(random_state)
    kind = np.arange(n) % 3
    place = np.arange(n) // 3 % 2
    group = 2 * kind + place
    classes = np.array(CLASSES)[kind]
    towns = np.array(
        [f"{PLACES[name]} {'north' if which else 'south'}" for name, which in zip(classes, place, strict=True)]
    )
    remarks = [reports.REMARKS["en"].get(name, ("Shallow.",))[0] for name in classes]
    labels = np.column_stack([10.0 * group, 5.0 * group, 20.0 * kind + 5, rng.normal(2, 0.5, n)])
    return Corpus(
        source_id=np.array([f"e{i:03d}" for i in range(n)]),
        origin_time=np.datetime64("2018-02-01", "ns") + np.arange(n) * np.timedelta64(1, "h"),
        kind="templated",
        texts=np.array([f"{town}. {remark}" for town, remark in zip(towns, remarks, strict=True)]),
        classes=classes,
        labels=labels,
        estimates=labels + rng.normal(0, 1, (n, 4)),
        embedding=np.eye(6)[group] @ rng.normal(size=(6, 20)) + 0.2 * rng.normal(size=(n, 20)),
        untrained=rng.normal(size=(n, 20)),
        metadata=rng.normal(size=(n, 4)),
        region=towns,
    )


@pytest.fixture(scope="module")
def given():
    return made_up()


@pytest.fixture
def corpus(given, monkeypatch):
    monkeypatch.setattr(alignment_study, "corpus", lambda *_: given)
    return given


def done(monkeypatch, given, **changed):
    """One trial's result on these events."""
    monkeypatch.setattr(alignment_study, "corpus", lambda *_: given)
    place = {"network": "colombia", "source": "simulated", "profile": "quick"}
    return alignment_study.run([{**place, **alignment_study.PLAIN, **changed}])[0]


@pytest.fixture(scope="module")
def found(given):
    """A quick study of the made-up events, with three withheld classes and half as many epochs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment_study, "AlignmentConfig", partial(AlignmentConfig, epochs=30))
        patch.setattr(alignment_study, "corpus", lambda *_: given)
        patch.setattr(alignment_study, "WITHHELD", {"quick": 3})
        trials = alignment_study.trials("colombia", "simulated", "quick")
        return [{"trial": one, "result": alignment_study.run([one])[0], "commit": "x"} for one in trials]


@pytest.fixture(scope="module")
def content(found, given):
    """A record of one corpus, as `alignment_results.compute` makes it, of fewer resamples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            alignment_results, "bootstrap_ci", lambda *args, **more: bootstrap_ci(*args, **{**more, "n": 100})
        )
        summary = alignment_results._summary(found, given)
    return {"corpora": {"colombia-simulated": {"network": "colombia", "source": "simulated", **summary}}}


@pytest.fixture(scope="module")
def summary(content):
    return content["corpora"]["colombia-simulated"]


@pytest.mark.parametrize(("network", "source"), arms.CORPORA)
def test_residuals_are_those_of_bulletins(network, source):
    trials = alignment_study.trials(network, source, "paper")
    assert (source == "bulletin") == any(one["part"] == "residuals" for one in trials)


def test_texts_of_events_that_are_judged_are_not_looked_at(given, monkeypatch):
    before = done(monkeypatch, given)
    (_, test), *_ = alignment_study._split(given, "random")
    texts = given.texts.copy()
    texts[test] = texts[test][::-1]
    # the other folds train on them, so that only this fold's answers must stay
    after = done(monkeypatch, replace(given, texts=texts))
    assert np.array(before["predicted"])[test].tolist() == np.array(after["predicted"])[test].tolist()
    assert before["predicted"] != [0] * len(texts)


def test_withheld_texts_are_not_trained_on(given, monkeypatch):
    before = done(monkeypatch, given, withheld="deep_nest")
    texts = np.where(given.classes == "deep_nest", "something else", given.texts)
    after = done(monkeypatch, replace(given, texts=texts), withheld="deep_nest")
    assert before["margin"] == after["margin"]
    assert done(monkeypatch, replace(given, texts=texts))["predicted"] != done(monkeypatch, given)["predicted"]


def test_regions_are_left_out_whole(given):
    for train, test in alignment_study._split(given, "region"):
        assert not set(given.region[train]) & set(given.region[test])
        assert len(train) + len(test) == len(given.texts)


def test_events_find_their_texts_and_shuffled_ones_do_not(summary):
    rows = {tuple(one[key] for key in alignment_results.ARM): one for one in summary["retrieval"]}
    own = rows["aligned", "none", "random", 1.0, False, None]
    shuffled = rows["shuffled", "none", "random", 1.0, False, None]
    assert own["at1"][0] > 0.8
    assert shuffled["at1"][2] < own["at1"][1]
    assert 5 < own["gallery"] <= 6
    assert own["gap"][1] < own["gap"][0]


def test_prompts_recognise_classes_better_than_controls(summary):
    plain = [one for one in summary["zero_shot"] if (one["masking"], one["split"]) == ("none", "random")]
    rows = {one["arm"]: one for one in plain if one["paired"] == 1}
    assert rows["aligned"]["accuracy"][0] > 0.6 > rows["metadata"]["accuracy"][0]
    assert rows["majority"]["accuracy"][0] == pytest.approx(1 / 3)
    assert rows["supervised"]["accuracy"][0] > 0.9


def test_verdicts_follow_from_the_hardest_control(summary):
    rows = {(one["question"], one["masking"]): one for one in summary["verdicts"]}
    assert set(rows) == {
        *(("retrieval", masking) for masking in reports.MASKS),
        *(("zero-shot", masking) for masking in reports.MASKS),
        ("withheld classes", "none"),
        ("withheld classes", "places"),
    }
    for one in rows.values():
        assert one["low"] <= one["value"] <= one["high"]
        assert one["verdict"] == alignment_results.above(one["low"], one["high"])
    assert rows["zero-shot", "none"]["against"] in ("majority", "metadata", "shuffled")


def test_the_rule_for_above():
    assert alignment_results.above(0.1, 0.2) == "supported"
    assert alignment_results.above(-0.2, -0.1) == "not supported"
    assert alignment_results.above(-0.1, 0.1) == "inconclusive"


def scattered(given, random_state):
    """The same events somewhere else: their class and their text do not tell where."""
    labels = np.random.default_rng(random_state).normal(0, 50, given.labels.shape)
    return replace(given, labels=labels), labels + np.random.default_rng(random_state + 1).normal(0, 1, labels.shape)


def test_a_bias_that_the_text_knows_of_is_corrected(given):
    elsewhere, estimates = scattered(given, 1)
    estimates[given.region == "Pasto north", 2] += 10
    rows = alignment_results.corrections(elsewhere, np.arange(len(estimates)), estimates, "none")
    assert alignment_results.judge_correction(rows, "depth", "none")["verdict"] == "supported"
    bias = {one["by"]: one["bias"] for one in rows if one["quantity"] == "depth"}
    assert bias["nothing"]["tectonic"][0] > 4
    assert abs(bias[alignment_results.FULL]["tectonic"][0]) < 1


def test_where_the_text_knows_nothing_it_corrects_nothing(given):
    elsewhere, estimates = scattered(given, 3)
    rows = alignment_results.corrections(elsewhere, np.arange(len(estimates)), estimates, "none")
    found = [alignment_results.judge_correction(rows, quantity, "none") for quantity in alignment_results.QUANTITIES]
    assert all(one["verdict"] != "supported" for one in found)


def test_residuals_are_those_of_the_trials_where_there_are_any(given):
    index, estimates = alignment_results.residuals([], given)
    assert len(index) == len(given.texts)
    np.testing.assert_array_equal(estimates, given.estimates)
    trial = {"part": "residuals", "fold": 0}
    result = {"source_id": ["e004", "e001", "other"], "estimates": [[4.0] * 4, [1.0] * 4, [0.0] * 4]}
    index, estimates = alignment_results.residuals([{"trial": trial, "result": result}], given)
    assert index.tolist() == [1, 4]
    assert estimates[:, 0].tolist() == [1, 4]


def test_an_index_answers_without_the_events_own_text(given, tmp_path):
    index = text_search.Index.build(given)
    best = np.argsort(-index.ask("deep events of the nest, Bucaramanga"))[:10]
    assert (given.classes[best] == "deep_nest").mean() > 0.7
    (_, test), *_ = alignment_study._split(given, "random")
    texts = given.texts.copy()
    texts[test] = "nothing"
    other = text_search.Index.build(replace(given, texts=texts))
    np.testing.assert_allclose(index.placed[test], other.placed[test], atol=1e-5)
    kept = text_search.Index.load(index.save(tmp_path / "index.npz"))
    np.testing.assert_array_equal(kept.ask("volcano"), index.ask("volcano"))


def test_a_question_without_a_known_word_is_refused(given):
    with pytest.raises(UserError, match="no word of it is known"):
        text_search.Index.build(given).ask("")
    with pytest.raises(UserError, match="choose one of colombia, ridgecrest"):
        text_search.find_index("iceland")


def test_the_twins_corpus_is_what_it_says():
    found = alignment_study.corpus("colombia", "simulated", "quick")
    assert found.kind == "templated"
    assert len(set(found.source_id)) == len(found.texts) == alignment_study.SIMULATED["quick"]
    assert found.names[:2] == ["tectonic", "deep_nest"]
    assert found.estimates.shape == found.labels.shape == (len(found.texts), 4)
    assert np.isfinite(found.embedding).all()
    assert np.abs(found.embedding - found.untrained).max() > 0.1
    east, north = found.labels[found.classes == "deep_nest", :2].T
    net = networks.load("colombia")
    nest = net.to_local(net.zones[0].latitude, net.zones[0].longitude)
    assert np.hypot(east - nest[0], north - nest[1]).max() < 30


def test_the_summary_can_be_written(content, tmp_path):
    path = records.write(tmp_path / "alignment.json", content, provenance.provenance({"stage": "record"}, {}))
    assert records.read(path)[1]["corpora"]["colombia-simulated"]["kind"] == "templated"


@pytest.mark.parametrize("draw", ["retrieval", "zero_shot", "withheld", "partly_paired", "corrections"])
def test_figures_show_every_corpus(content, draw):
    fig = getattr(alignment_figures, draw)(content)
    texts = [axis.get_title("left") + "".join(one.get_text() for one in axis.get_yticklabels()) for axis in fig.axes]
    assert any("Colombia" in text for text in texts)
    assert sum(len(axis.lines) for axis in fig.axes) > 1
    with pytest.raises(UserError, match="nothing to draw"):
        getattr(alignment_figures, draw)({"corpora": {}})


def test_maps_of_the_space_and_of_answers(given):
    index, net = text_search.Index.build(given), networks.load("colombia")
    prompts = {name: reports.PROMPTS["colombia"][name] for name in CLASSES}
    assert len(alignment_figures.space(index, prompts).axes[0].collections) == 3
    assert alignment_figures.answers(index, net, "deep earthquake").axes
    page = alignment_figures.explorer(index, prompts, n=5).data
    assert page.count('"scores":') == 5
    assert "__DATA__" not in page


def test_the_books_record_is_current_and_quotes_its_intervals():
    content = alignment_results.load()
    assert {(one["network"], one["source"]) for one in content["corpora"].values()} == set(arms.CORPORA)
    for one in content["corpora"].values():
        assert one["kind"] == (
            "observed" if (one["network"], one["source"]) == ("colombia", "bulletin") else "templated"
        )
        for row in one["verdicts"]:
            estimate = Estimate(row["value"], row["low"], row["high"])
            assert row["verdict"] == alignment_results.above(estimate.low, estimate.high)
