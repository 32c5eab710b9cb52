from functools import partial

import numpy as np
import pytest
import torch

from seisbook.findings import alignment_tuned
from seisbook.measures import evaluation, splits
from seisbook.models import alignment, checkpoints
from seisbook.models.alignment import AlignmentConfig
from seisbook.studies import alignment as alignment_study
from seisbook.studies import alignment_tuned as alignment_tuned_study
from seisbook.studies.alignment import PLAIN, Corpus
from seisbook.studies.alignment_tuned import TuningConfig
from seisbook.studies.runs import as_locator

TRIAL = {"network": "ridgecrest", "source": "simulated", "profile": "quick", "masking": "none", "seed": 0}


@pytest.fixture(scope="module")
def prepared(events):
    """Sixty simulated events that the stem has read, the twin's model, and made-up texts that say where they were."""
    model, card = checkpoints.load(checkpoints.MODELS / "ridgecrest-twin-dynamic-paper")
    seen, n = as_locator(model, card).predict(events), len(events)
    east, north = (np.digitize(one, np.quantile(one, [0.25, 0.5, 0.75])) for one in events.y[:, :2].T.numpy())
    texts = np.array([f"{i} leagues east, {j} leagues north" for i, j in zip(east, north, strict=True)])
    given = Corpus(
        source_id=events.source_id,
        origin_time=events.origin_time,
        kind="templated",
        texts=texts,
        classes=np.where(east > 1, "tectonic", "deep_nest"),
        labels=events.y.numpy(),
        estimates=evaluation.estimates(seen),
        embedding=seen.embedding.numpy(),
        untrained=seen.embedding.numpy(),
        metadata=np.zeros((n, 4)),
        region=texts,
    )
    return given, events.read_by(model), model


@pytest.fixture
def corpus(prepared, monkeypatch):
    given, events, model = prepared
    monkeypatch.setattr(alignment_study, "corpus", lambda *_: given)
    monkeypatch.setattr(alignment_tuned_study, "read_events", lambda *_: (events, model))
    monkeypatch.setattr(
        alignment_study.reports, "PROMPTS", {"ridgecrest": {"tectonic": ("east",), "deep_nest": ("deep",)}}
    )
    return prepared


def limited(monkeypatch, **changed):
    config = TuningConfig(**changed)
    monkeypatch.setattr(alignment_tuned_study, "TuningConfig", lambda: config)


def test_a_tower_begins_as_the_frozen_one(prepared):
    given, events, model = prepared
    train, test = alignment_study._split(given, "random")[0]
    tower = alignment_tuned_study.Tower(model, given.embedding[train])
    frozen = alignment_study.vectors_of(given, "aligned", train)
    np.testing.assert_allclose(tower.vectors(events, test), frozen[test], atol=1e-3)


def test_without_an_epoch_nothing_differs_from_the_frozen_tower(corpus, monkeypatch):
    limited(monkeypatch, epochs=0)
    tuned = alignment_tuned_study.run([TRIAL])[0]
    frozen = alignment_study.run([{**PLAIN, **TRIAL}])[0]
    assert tuned["epochs"] == [0] * splits.FOLDS
    assert tuned["rank"] == frozen["rank"]
    for name in ("classes", "truth", "predicted"):
        assert tuned[name] == frozen[name]


def trained(prepared, texts):
    given, events, model = prepared
    train, test = alignment_study._split(given, "random")[0]
    tower, aligner, _ = alignment_tuned_study._tuned({**PLAIN, **TRIAL}, given, events, model, texts, train)
    return aligner.embed_events(tower.vectors(events, test)), test


def test_texts_of_events_that_are_judged_are_not_looked_at(prepared, monkeypatch):
    limited(monkeypatch, epochs=2, batch_size=16)
    before, test = trained(prepared, prepared[0].texts)
    texts = prepared[0].texts.copy()
    texts[test] = "something else"
    after, _ = trained(prepared, texts)
    np.testing.assert_array_equal(before, after)


def test_training_lowers_the_loss_and_touches_neither_stem_nor_model(prepared, monkeypatch):
    given, events, model = prepared
    limited(monkeypatch, epochs=5, batch_size=30, warmup=2)
    monkeypatch.setattr(alignment_study, "AlignmentConfig", partial(AlignmentConfig, epochs=5))  # far from converged
    before = {name: value.clone() for name, value in model.state_dict().items()}
    everything = np.arange(len(events))
    gallery, target = np.unique(given.texts, return_inverse=True)
    losses = []
    for tower, aligner in alignment_tuned_study._epochs(PLAIN, given, events, model, given.texts, everything):
        vectors = torch.as_tensor(tower.vectors(events, everything))
        said = torch.as_tensor(alignment.encode(gallery.tolist()))
        losses.append(
            alignment_tuned_study._loss(aligner, vectors, said, torch.as_tensor(target), torch.Generator()).item()
        )
    assert len(losses) == 6
    assert losses[-1] < losses[0]
    trained = tower.model.state_dict()
    changed = {name.split(".")[0] for name, value in before.items() if not value.equal(trained[name])}
    assert "blocks" in changed
    assert "stem" not in changed
    assert all(value.equal(model.state_dict()[name]) for name, value in before.items())


def test_the_gain_is_paired():
    n = 200
    rank = np.random.default_rng(0).integers(1, 20, n)
    result = {"classes": ["a", "b"], "truth": [0, 1] * (n // 2), "rank": rank.tolist(), "predicted": [0, 1] * (n // 2)}
    better = {**result, "rank": np.maximum(rank - 3, 1).tolist(), "epochs": [2] * 5}
    wrong = {**result, "predicted": [0] * n}
    frozen = [
        {"trial": {**PLAIN, "masking": one, "seed": 0}, "result": wrong} for one in alignment_tuned_study.MASKINGS
    ]
    tuned = [{"trial": {**TRIAL, "masking": one}, "result": better} for one in alignment_tuned_study.MASKINGS]
    table = alignment_tuned.gains(frozen, tuned).set_index(["masking", "question"])
    row = table.loc["none", "retrieval"]
    assert row.gain.value == pytest.approx(np.mean(rank <= 8) - np.mean(rank <= 5))
    assert row.tuned - row.frozen == pytest.approx(row.gain.value)
    assert (row.verdict, row.epochs) == ("supported", 2)
    assert tuple(table.loc["none", "zero-shot"].gain) == (0.5, 0.5, 0.5)
    same = alignment_tuned.gains(frozen, [{**one, "result": {**wrong, "epochs": [0]}} for one in tuned])
    assert set(same.verdict) == {"inconclusive"}
    assert alignment_tuned.quoted({"colombia": table.reset_index()})["colombia-tuned-epochs-none"] == "2.0"
