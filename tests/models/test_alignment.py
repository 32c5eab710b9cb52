import numpy as np
import pytest
import torch

from seisbook.errors import UserError
from seisbook.models import alignment
from seisbook.models.alignment import Aligner, AlignmentConfig

SMALL = AlignmentConfig(dimension=8, hidden=16, epochs=80)


@pytest.fixture
def towers():
    """Forty events of four kinds, and a text of each kind."""
    rng = np.random.default_rng(0)
    text_of = np.repeat(np.arange(4), 10)
    events = 2 * np.eye(4)[text_of] @ rng.normal(size=(4, 6)) + 0.3 * rng.normal(size=(40, 6))
    return events, rng.normal(size=(4, 5)), text_of


def rank_of(aligner, events, texts, text_of):
    similarity = aligner.embed_events(events) @ aligner.embed_texts(texts).T
    return alignment.ranks(similarity, text_of[:, None] == np.arange(len(texts)))


def test_alignment_puts_events_next_to_their_texts(towers):
    events, texts, text_of = towers
    aligner = Aligner(SMALL).fit(events[::2], texts, text_of[::2])
    assert rank_of(aligner, events[1::2], texts, text_of[1::2]).mean() < 1.2
    np.testing.assert_allclose(np.linalg.norm(aligner.embed_events(events), axis=1), 1, rtol=1e-5)


def test_alignment_with_other_texts_learns_those(towers):
    events, texts, text_of = towers
    moved = (text_of + 1) % 4
    aligner = Aligner(SMALL).fit(events, texts, moved)
    assert rank_of(aligner, events, texts, moved).mean() < 1.2
    assert rank_of(aligner, events, texts, text_of).mean() > 2


def test_the_same_random_state_gives_the_same_projections(towers):
    events, texts, text_of = towers
    one, same, other = (Aligner(SMALL, seed).fit(events, texts, text_of).embed_events(events) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1


def test_fitting_leaves_the_callers_random_numbers_alone(towers):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    Aligner(SMALL).fit(*towers)
    assert torch.rand(1) == expected


def test_text_projection_is_what_embeds_texts(towers):
    events, texts, text_of = towers
    aligner = Aligner(SMALL).fit(events, texts, text_of)
    weight, bias = aligner.text_projection()
    placed = texts @ weight.T + bias
    np.testing.assert_allclose(
        placed / np.linalg.norm(placed, axis=1, keepdims=True), aligner.embed_texts(texts), rtol=1e-4
    )


def test_pseudo_pairs_help_where_few_events_are_paired(towers):
    events, texts, text_of = towers
    known = np.where(np.arange(40) % 10 < 1, text_of, -1)
    pool = text_of[known < 0]
    alone = Aligner(SMALL).fit(events, texts, known)
    helped = Aligner(AlignmentConfig(dimension=8, hidden=16, epochs=80, transport=True)).fit(events, texts, known, pool)
    assert rank_of(helped, events, texts, text_of).mean() <= rank_of(alone, events, texts, text_of).mean()


def test_events_without_any_text_are_refused(towers):
    events, texts, text_of = towers
    with pytest.raises(UserError, match="give each its text"):
        Aligner(SMALL).fit(events, texts, np.full(40, -1))
    with pytest.raises(UserError, match="give each its text"):
        Aligner(SMALL).fit(events[:3], texts, text_of)


def test_loss_does_not_push_events_of_one_text_apart():
    similarity = torch.tensor([[9.0, 0.0], [9.0, 0.0], [0.0, 9.0]])
    target = torch.tensor([0, 0, 1])
    multi = alignment.contrastive_loss(similarity, target)
    single = alignment.contrastive_loss(similarity, target, multi_positive=False)
    # by hand: events to texts nearly 0; texts to events ln 2 for the text with two events, in a mean over two texts
    assert multi == pytest.approx(np.log(2) / 2, abs=1e-3)
    assert single == pytest.approx(2 * 2 / 3 * np.log(2), abs=1e-3)


def test_loss_counts_each_text_once_however_often_it_was_said():
    similarity = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([0, 0, 0, 1, 2])
    log_share = similarity.log_softmax(0)
    expected = torch.stack([log_share[target == t, t].mean() for t in range(3)]).mean()
    of_events = torch.nn.functional.cross_entropy(similarity, target)
    assert alignment.contrastive_loss(similarity, target) == pytest.approx(float(of_events - expected), rel=1e-5)


def test_transport_uses_each_text_as_often_as_it_was_said():
    generator = torch.Generator().manual_seed(1)
    said = torch.tensor([6.0, 3.0, 1.0, 0.0])
    plan = alignment.transport_plan(torch.rand(10, 4, generator=generator), said)
    np.testing.assert_allclose(plan.sum(1), 1, rtol=1e-4)
    np.testing.assert_allclose(plan.sum(0), said, atol=0.05)


def test_transport_finds_the_assignment():
    truth = torch.tensor([0, 0, 1, 2, 2, 2])
    similarity = torch.nn.functional.one_hot(truth).float()
    assert (alignment.transport_plan(similarity, torch.bincount(truth).float()).argmax(1) == truth).all()


def test_ranks_count_ties_half():
    similarity = [[3.0, 2.0, 1.0], [1.0, 1.0, 1.0], [1.0, 2.0, 3.0]]
    correct = [[True, False, False], [False, True, False], [True, True, False]]
    assert alignment.ranks(similarity, correct).tolist() == [1, 2, 2]


def test_class_scores_are_cosines_with_the_mean_prompt():
    events = np.array([[1.0, 0.0], [0.0, 1.0]])
    scores = alignment.class_scores(events, [np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])])
    np.testing.assert_allclose(scores, [[1, 0.5**0.5], [0, 0.5**0.5]])


def test_centring_closes_the_gap():
    rng = np.random.default_rng(0)
    events, texts = (alignment.centred(rng.normal(at, 1, (200, 4)), 0) for at in (1.0, -1.0))
    moved = alignment.centred(events, events.mean(0)), alignment.centred(texts, texts.mean(0))
    assert alignment.modality_gap(*moved) < alignment.modality_gap(events, texts) / 4


def test_encoding_knows_no_case_and_no_accents(tmp_path):
    one, same, other, empty = alignment.encode(["VOLCÁN Galeras", "volcan galeras", "deep sea", ""], folder=tmp_path)
    np.testing.assert_array_equal(one, same)
    assert one @ other < 0.9
    assert not empty.any()
    assert np.linalg.norm(one) == pytest.approx(1, rel=1e-5)


def test_meaning_is_in_the_default_and_not_in_random_words(tmp_path):
    words = ["ocean", "sea", "bread"]
    meaning = alignment.encode(words, folder=tmp_path)
    none = alignment.encode(words, alignment.RANDOM_WORDS, tmp_path)
    assert meaning[0] @ meaning[1] > meaning[0] @ meaning[2] + 0.1
    assert abs(none[0] @ none[1]) < 0.3


def test_vectors_are_kept_by_content(tmp_path):
    first = alignment.encode(["one", "two"], folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    np.save(next(tmp_path.iterdir()), first + 1)
    np.testing.assert_array_equal(alignment.encode(["one", "two"], folder=tmp_path), first + 1)
    alignment.encode(["two", "one"], folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_encoder_that_is_not_installed_is_named(tmp_path):
    with pytest.raises(UserError, match=r"'no/such-model'.*use 'wordllama'"):
        alignment.encode(["a"], "no/such-model", tmp_path)
