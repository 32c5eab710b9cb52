"""Asking for events in words: the index behind `seisbook ask`, in which each event is placed without its own text."""

import textwrap
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from seisbook import files, provenance
from seisbook.catalogues import sources
from seisbook.errors import UserError
from seisbook.measures import splits
from seisbook.paths import BUILD
from seisbook.studies.arms import CORPORA, PLAIN

BUILDER = "seisbook.findings.text_search:Index"


@dataclass(frozen=True)
class Index:
    """Events in the common space, and what places a question there.

    Five pairs of projections were trained, each without one fold's events and texts, and each event is placed by the
    pair that has not seen it: what is found is found by its seismograms.

    Parameters
    ----------
    source_id, texts, classes : ndarray of str, shape (events,)
    labels : ndarray, shape (events, 4)
        East, north, depth in km, magnitude.
    fold : ndarray of int, shape (events,)
    placed : ndarray, shape (events, k)
        Of length 1.
    weight, bias : ndarray, shape (folds, k, d) and (folds, k)
        Of the text projections.
    """

    source_id: np.ndarray
    texts: np.ndarray
    classes: np.ndarray
    labels: np.ndarray
    fold: np.ndarray
    placed: np.ndarray
    weight: np.ndarray
    bias: np.ndarray

    @classmethod
    def build(cls, given, random_state=0) -> "Index":
        """Align the events and texts of a `seisbook.studies.alignment.Corpus`, once for each fold."""
        from seisbook.studies import alignment as alignment_study  # loads PyTorch, which an index on disk does without

        trial = {**PLAIN, "seed": random_state}
        folds = splits.folds(given.source_id, given.origin_time, "random")
        fold, placed, heads = np.zeros(len(given.texts), int), None, []
        for i, (train, test) in enumerate(folds):
            events = alignment_study.vectors_of(given, "aligned", train)
            aligner, _ = alignment_study.aligned(trial, events[train], given.texts[train], "wordllama")
            heads.append(aligner.text_projection())
            vectors = aligner.embed_events(events[test])
            placed = np.zeros((len(fold), vectors.shape[1]), "float32") if placed is None else placed
            fold[test], placed[test] = i, vectors
        weight, bias = (np.stack(parts) for parts in zip(*heads, strict=True))
        return cls(given.source_id, given.texts, given.classes, given.labels, fold, placed, weight, bias)

    def ask(self, *questions: str) -> np.ndarray:
        """Similarity of each event with the mean of the questions' vectors, -1 to 1, shape (events,).

        Raises
        ------
        UserError
            If no word of the questions is known.
        """
        from seisbook.models import alignment  # loads PyTorch, which importing this module does without

        vectors = alignment.encode(list(questions))
        if not vectors.any():
            raise UserError(f"{' / '.join(questions)!r}: no word of it is known: ask in English or Spanish")
        placed = np.einsum("fkd,qd->fqk", self.weight, vectors) + self.bias[:, None]
        placed = (placed / np.linalg.norm(placed, axis=-1, keepdims=True)).mean(1)
        placed /= np.linalg.norm(placed, axis=-1, keepdims=True)
        return np.einsum("ek,ek->e", self.placed, placed[self.fold])

    def table(self, *questions: str, n=10) -> pd.DataFrame:
        """The events most similar to the questions: name, similarity, depth, magnitude, class, and their own text."""
        score = self.ask(*questions)
        best = np.argsort(-score, kind="stable")[:n]
        columns = {
            "event": self.source_id[best],
            "similarity": score[best].round(2),
            "depth (km)": self.labels[best, 2].round(0),
            "magnitude": self.labels[best, 3].round(1),
            "class": self.classes[best],
            "text": [textwrap.shorten(text.replace("\n", " / "), 60, placeholder=" …") for text in self.texts[best]],
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(1, len(best) + 1))

    def save(self, path) -> Path:
        """Write the index, whole or not at all."""
        return files.write_whole(path, lambda file: np.savez(file, **asdict(self)))

    @classmethod
    def load(cls, path) -> "Index":
        """Read an index."""
        with np.load(path, allow_pickle=False) as file:
            return cls(**{field.name: file[field.name] for field in fields(cls)})


def find_index(network, source=None, profile="paper") -> Index:
    """The index of a network's events, built on the first call (minutes), then read from `_build/asking`.

    Parameters
    ----------
    network : str
    source : {"bulletin", "simulated"}, optional
        Default: the real bulletin if it is on this machine, else the simulated twin.
    profile : {"quick", "paper"}

    Raises
    ------
    UserError
        If nothing can be asked of this network.
    """
    from seisbook.studies import alignment as alignment_study  # loads PyTorch, which importing this module does without

    source = source or default_source(network)
    path = index_path(network, source, profile)
    if path.is_file():
        return Index.load(path)
    index = Index.build(alignment_study.corpus(network, source, profile))
    index.save(path)
    return index


def default_source(network) -> str:
    """`bulletin` if the network's real bulletin is on this machine, else `simulated`."""
    return "bulletin" if sources.is_available(network) else "simulated"


def index_path(network, source, profile="paper") -> Path:
    """Path of an index in `_build/asking`; its name changes with the configuration and the code that make the index.

    Raises
    ------
    UserError
        If nothing can be asked of this network.
    """
    from seisbook.studies import alignment as alignment_study  # loads PyTorch, which importing this module does without

    known = sorted({name for name, _ in CORPORA})
    if network not in known:
        raise UserError(f"no reports of {network!r} to ask in: choose one of {', '.join(known)}")
    trial = {"network": network, "source": source, "profile": profile, **PLAIN}
    stamp = provenance.digest(
        [provenance.key("index", trial=trial, config=alignment_study.config(trial)), provenance.code_hash(BUILDER)]
    )
    return BUILD / "asking" / f"{network}-{source}-{profile}-{stamp}.npz"
