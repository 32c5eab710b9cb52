"""Events and texts in one space: text encoders, the alignment of two towers, retrieval and zero-shot classification.

An *event tower* has turned each event's seismograms into a vector (the graph model's multi-scale embedding), a *text
encoder* each report. Both stay as they are; `Aligner` learns two projections after which an event lies near what was
said of it. Method: CLIP (Radford et al. 2021), with a multi-positive loss since most reports say the same of several
events, and, for events whose report is not known, pseudo-pairs by optimal transport.
"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seisbook import files, provenance
from seisbook.datasets.reports import plain
from seisbook.errors import UserError
from seisbook.paths import BUILD

log = logging.getLogger(__name__)
RANDOM_WORDS = "random-words"
SMOOTHING, ROUNDS = 0.05, 50  # of the transport plan: entropy, and Sinkhorn's iterations
REPLAN = 10  # epochs after which the plan is made anew
LARGEST_SCALE = 100.0  # of the similarity, as in CLIP


# ---------------------------------------------------------------------------------------------------------------- texts


class TextEncoder(Protocol):
    """A text encoder: any function from a list of n texts to an array (n, d)."""

    def __call__(self, texts: list[str]) -> np.ndarray: ...  # noqa: D102 (the class says it)


def wordllama() -> TextEncoder:
    """The default encoder: the mean of WordLlama's 256 numbers per word, whose weights come with the package."""
    handlers = logging.root.handlers[:]
    import wordllama
    from wordllama import WordLlama

    logging.root.handlers[:] = handlers  # the package sets up logging when it is imported; that is not for it to do
    return WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True).embed


def random_words(texts: list[str], dimension=256) -> np.ndarray:
    """A control: each word has a vector drawn at random, so that words are told apart and mean nothing."""
    vectors = np.zeros((len(texts), dimension), "float32")
    for i, text in enumerate(texts):
        for word in text.split():
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
            vectors[i] += np.random.default_rng(seed).standard_normal(dimension)
    return vectors


def sentence_transformer(name: str) -> TextEncoder:
    """Any model of the package sentence-transformers, for those who have it and the model on their machine."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise UserError(f"text encoder {name!r}: pip install sentence-transformers, or use 'wordllama'") from None
    try:
        return SentenceTransformer(name).encode
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"text encoder {name!r}: not on this machine ({reason}): use 'wordllama'") from None


def encode(texts, encoder="wordllama", folder=None) -> np.ndarray:
    """Vectors of texts, of length 1 (0 for a text without words), kept on disk by the hash of texts and encoder.

    Case and accents are taken off first: bulletins are written in capitals without accents, questions are not.

    Parameters
    ----------
    texts : list of str
    encoder : str
        `wordllama`, `random-words`, or the name of a sentence-transformers model.
    folder : Path, optional
        Folder of the cache; default: `_build/texts`.

    Returns
    -------
    ndarray of float32, shape (texts, d)
    """
    texts = [plain(text) for text in texts]
    key = hashlib.sha256("\0".join([encoder, *texts]).encode()).hexdigest()[:24]
    path = (folder or BUILD / "texts") / f"{key}.npy"
    if path.is_file():
        return _kept(path)
    known = {"wordllama": wordllama, RANDOM_WORDS: lambda: random_words}
    model = known[encoder]() if encoder in known else sentence_transformer(encoder)
    vectors = np.asarray(model(texts), "float32").reshape(len(texts), -1)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    _keep(path, vectors)
    return vectors


@provenance.stage
def _kept(path):
    """Vectors from the cache."""
    return np.load(path, allow_pickle=False)


@provenance.stage
def _keep(path, vectors):
    """Write vectors into the cache, whole or not at all."""
    files.write_whole(path, lambda file: np.save(file, vectors))


# ------------------------------------------------------------------------------------------------------------ alignment


@dataclass(frozen=True)
class AlignmentConfig:
    """How two towers are aligned.

    Parameters
    ----------
    dimension, hidden : int
        Size of the common space, and of the event projection's hidden layer.
    epochs : int
        Training steps; each one sees all events.
    learning_rate, weight_decay, dropout : float
    multi_positive : bool
        Texts that are the same are one text, with several events. Without it, they are each other's negatives.
    transport : bool
        Events whose text is not known take part, see `Aligner.fit`.
    """

    dimension: int = 64
    hidden: int = 128
    epochs: int = 60
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    dropout: float = 0.3
    multi_positive: bool = True
    transport: bool = False


class Aligner:
    r"""Two projections into one space, trained so that an event lies near its text.

    .. math::
        \mathcal{L} = -\frac{1}{n} \sum_i \log \frac{e^{s_{i t(i)}}}{\sum_t e^{s_{it}}}
        - \frac{1}{m} \sum_t \frac{1}{|E_t|} \sum_{i \in E_t} \log \frac{e^{s_{it}}}{\sum_j e^{s_{jt}}},
        \qquad s_{it} = \tau \cos(f(x_i), g(y_t)),

    over n events and the m *distinct* texts, with :math:`E_t` the events of which text t was said.

    Parameters
    ----------
    config : AlignmentConfig
    random_state : int
        Seed of the initial weights and of dropout.
    """

    def __init__(self, config=AlignmentConfig(), random_state=0):
        self.config = config
        self.random_state = random_state

    def fit(self, events, texts, text_of, pool=()):
        """Learn the projections.

        Parameters
        ----------
        events : array_like, shape (n, f)
            Vectors of the event tower.
        texts : array_like, shape (m, d)
            Vectors of the distinct texts.
        text_of : array_like of int, shape (n,)
            Row of each event's text; -1 if it is not known.
        pool : array_like of int
            Rows of texts that are known to belong to events with -1, but not to which: a row once for each event. With
            `transport` they are assigned to these events by entropic optimal transport (Sinkhorn), anew every few
            epochs in the second half of the training, and the assignment is trained on with half the weight.

        Returns
        -------
        Aligner
            Itself, with `scale_`, the learned temperature's inverse.

        Raises
        ------
        UserError
            If no event has a text, or the sizes differ.
        """
        events, texts = torch.as_tensor(np.asarray(events)).float(), torch.as_tensor(np.asarray(texts)).float()
        text_of = torch.as_tensor(np.asarray(text_of))
        if len(events) != len(text_of) or not (text_of >= 0).any():
            raise UserError(f"alignment: {len(events)} events, {(text_of >= 0).sum()} with a text: give each its text")
        with torch.random.fork_rng():
            torch.manual_seed(self.random_state)
            self._build(events, texts.shape[1])
            self._train(events, texts, text_of, torch.as_tensor(np.asarray(pool, int)))
        return self

    def embed_events(self, events) -> np.ndarray:
        """Place events (n, f) in the common space: (n, dimension), of length 1."""
        return self._project(self._event, events)

    def embed_texts(self, texts) -> np.ndarray:
        """Place texts (m, d) in the common space: (m, dimension), of length 1."""
        return self._project(self._text, texts)

    def text_projection(self) -> tuple[np.ndarray, np.ndarray]:
        """Weight (dimension, d) and bias (dimension,) of the text's projection."""
        return self._text.weight.detach().numpy().copy(), self._text.bias.detach().numpy().copy()

    def _build(self, events, width):
        c = self.config
        self._mean, self._std = events.mean(0), events.std(0).clamp(min=1e-6)
        self._event = nn.Sequential(
            nn.Linear(events.shape[1], c.hidden), nn.GELU(), nn.Dropout(c.dropout), nn.Linear(c.hidden, c.dimension)
        )
        self._text = nn.Linear(width, c.dimension)
        self._log_scale = nn.Parameter(torch.tensor(1 / 0.07).log())

    def _train(self, events, texts, text_of, pool):
        c = self.config
        parameters = [*self._event.parameters(), *self._text.parameters(), self._log_scale]
        optimiser = torch.optim.AdamW(parameters, c.learning_rate, weight_decay=c.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, c.learning_rate, total_steps=c.epochs)
        known = torch.cat([text_of[text_of >= 0], pool]).unique()  # texts of other events are not looked at
        renumbered = torch.full((len(texts),), -1)
        renumbered[known] = torch.arange(len(known))
        paired, unpaired = text_of >= 0, text_of < 0
        said = torch.bincount(renumbered[pool], minlength=len(known)).float()
        x, y, target = (events - self._mean) / self._std, texts[known], renumbered[text_of[paired]]
        self._event.train()
        plan = None
        for epoch in range(c.epochs):
            e, t = F.normalize(self._event(x), dim=-1), F.normalize(self._text(y), dim=-1)
            similarity = self._log_scale.exp().clamp(max=LARGEST_SCALE) * e @ t.T
            loss = contrastive_loss(similarity[paired], target, c.multi_positive)
            if c.transport and len(pool) and epoch >= c.epochs // 2:
                if plan is None or epoch % REPLAN == 0:
                    plan = transport_plan((e[unpaired] @ t.T).detach(), said)
                loss = loss - 0.5 * (plan * similarity[unpaired].log_softmax(1)).sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        self._event.eval()
        self.scale_ = float(self._log_scale.detach().exp().clamp(max=LARGEST_SCALE))

    @torch.no_grad()
    def _project(self, head, values):
        values = torch.as_tensor(np.asarray(values)).float()
        if head is self._event:
            values = (values - self._mean) / self._std
        return F.normalize(head(values), dim=-1).numpy()


def contrastive_loss(similarity: Tensor, target: Tensor, multi_positive=True) -> Tensor:
    """Symmetric InfoNCE of events (n) and distinct texts (m), see `Aligner`.

    Parameters
    ----------
    similarity : Tensor, shape (n, m)
        Scaled.
    target : Tensor of int, shape (n,)
        Each event's text.
    multi_positive : bool
        If not, each event's copy of its text is a text of its own, and the copies are negatives of each other.
    """
    if not multi_positive:
        square, own = similarity[:, target], torch.arange(len(target))
        return F.cross_entropy(square, own) + F.cross_entropy(square.T, own)
    of_event = F.cross_entropy(similarity, target)
    log_share = similarity.log_softmax(0).gather(1, target[:, None])[:, 0]
    total = torch.zeros(similarity.shape[1]).index_add(0, target, log_share)
    count = torch.bincount(target, minlength=similarity.shape[1])
    return of_event - (total[count > 0] / count[count > 0]).mean()


def transport_plan(similarity: Tensor, said: Tensor) -> Tensor:
    """Assign texts to events so that each is used as often as it was said: rows of shares (n, m), each summing to one.

    Entropic optimal transport by Sinkhorn's iterations (Cuturi 2013): the plan of largest similarity, plus a little
    entropy, whose rows have equal sums and whose columns have sums in proportion to `said` (m,).
    """
    column = (said / said.sum()).clamp(min=1e-12).log()
    row = -torch.full((len(similarity),), float(len(similarity))).log()
    logits = (similarity / SMOOTHING).masked_fill(said == 0, -torch.inf)
    v = torch.zeros_like(column)
    for _ in range(ROUNDS):
        u = row - (logits + v).logsumexp(1)
        v = torch.where(said > 0, column - (logits + u[:, None]).logsumexp(0), 0.0)
    return (logits + v).softmax(1)


# ----------------------------------------------------------------------------------------------------------- evaluation


def ranks(similarity, correct) -> np.ndarray:
    """Rank of the best correct answer to each query, from 1; answers that tie with it count half.

    Parameters
    ----------
    similarity : array_like, shape (queries, answers)
    correct : array_like of bool, shape (queries, answers)
        At least one a query.

    Returns
    -------
    ndarray of float, shape (queries,)
    """
    similarity, correct = np.asarray(similarity, float), np.asarray(correct, bool)
    best = np.where(correct, similarity, -np.inf).max(1, keepdims=True)
    ties = (similarity == best) & ~correct
    return 1 + (similarity > best).sum(1) + ties.sum(1) / 2


def class_scores(events, prompts) -> np.ndarray:
    """Similarity of events (n, k) with each class, whose prompts' vectors (p, k) are averaged: (n, classes)."""
    middle = np.stack([vectors.mean(0) for vectors in prompts])
    return events @ (middle / np.maximum(np.linalg.norm(middle, axis=1, keepdims=True), 1e-9)).T


def modality_gap(events, texts) -> float:
    """Distance between the means of events and texts, both of length 1 (Liang et al. 2022)."""
    return float(np.linalg.norm(events.mean(0) - texts.mean(0)))


def centred(vectors, mean) -> np.ndarray:
    """Vectors without the mean of their modality, of length 1 again: what closes the gap."""
    moved = vectors - mean
    return moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-9)
