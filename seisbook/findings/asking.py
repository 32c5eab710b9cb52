"""Answers of `seisbook ask`: the events found, how many of them are of the class that was asked for, and a warning.

Making an index takes minutes, so indexes are published in `data/asking`. The publishers of the bulletins state no
licence, so the published indexes of bulletins have no texts.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from seisbook import files
from seisbook.catalogues import sources
from seisbook.datasets.reports import plain
from seisbook.findings import quotations, text_search
from seisbook.paths import DATA
from seisbook.studies.arms import CORPORA, FEWEST_OF_CLASS

PUBLISHED = DATA / "asking"
WORDS = {
    "tectonic": r"tectonic\w*|crust\w*|cortez\w*|faults?|fallas?|shallow|superficial\w*|aftershocks?|replicas?",
    "deep_nest": r"nest|nido|deep\w*|profundos?|profundas?|los santos",
    "induced": r"induc\w*|inject\w*|inyec\w*|wells?|pozos?|oil|petrol\w*|geotherm\w*|geoterm\w*|puerto gaitan",
    "offshore": r"offshore|sea|oceans?|oceano|mar|pacific\w*|caribbean|caribe",
    "volcanic": r"volcan\w*|crater\w*",
    "quarry_blast": r"quarr\w*|canteras?|mines?|minas?|blasts?|voladuras?|explosi\w*",
}
"""Words, in lower case and without accents, by which a question names a class of events."""


def published(network, source) -> Path | None:
    """Path of the published index of a collection; None if there is none.

    Parameters
    ----------
    network, source : str
    """
    return next(iter(sorted(PUBLISHED.glob(f"{network}-{source}-paper-*.npz"))), None)


def find_index(network, source=None) -> text_search.Index:
    """The index of a network's events: the published one, or else one that is made here on the first call.

    Parameters
    ----------
    network : str
    source : {"bulletin", "simulated"}, optional
        Default: the real bulletin if it is on this machine, else the simulated twin.

    Raises
    ------
    UserError
        If nothing can be asked of this network.
    """
    chosen = source or ("bulletin" if sources.is_available(network) else "simulated")
    path = published(network, chosen) if (network, chosen) in CORPORA else None
    return text_search.Index.load(path) if path else text_search.find_index(network, source)


def publish(network, source) -> Path:
    """Write the index of a collection into `data/asking`, in the place of an older one, and return its path."""
    path = text_search.index_path(network, source)
    index = text_search.find_index(network, source)
    if source == "bulletin":
        index = replace(index, texts=np.full(len(index.texts), ""))
    older = published(network, source)
    arrays = vars(index)
    made = files.write_whole(PUBLISHED / path.name, lambda file: np.savez_compressed(file, **arrays))
    if older not in (None, made):
        older.unlink()
    return made


def classes_of(*questions: str) -> list[str]:
    """Classes of events that the questions name, in English or Spanish.

    Parameters
    ----------
    *questions : str

    Examples
    --------
    >>> classes_of("explosión en cantera"), classes_of("cerca de Cali")
    (['quarry_blast'], [])
    """
    asked = plain(" ".join(questions))
    return [name for name, words in WORDS.items() if re.search(rf"\b({words})\b", asked)]


def _worded(name):
    """Words for the name of a class."""
    return quotations.WORDS.get(name, name)


def answer(index, *questions: str, n=10) -> str:
    """Table of the events that are most similar to the questions; without reports if the index has none.

    Parameters
    ----------
    index : seisbook.findings.text_search.Index
    *questions : str
    n : int
        Number of events.
    """
    found = index.table(*questions, n=n)
    found["class"] = [_worded(name) for name in found["class"]]
    return (found if index.texts.astype(bool).any() else found.drop(columns="text")).to_string()


def precision(index, *questions: str, n=10) -> str:
    r"""Sentence with the precision of an answer, and with the precision of a random choice.

    .. math:: p = \frac{1}{n} \sum_{i=1}^{n} [c_i \in C]

    with :math:`c_i` the class of the :math:`i`-th event found, and :math:`C` the classes that the questions name. A
    class comes from the catalogue and never from the text.

    Parameters
    ----------
    index : seisbook.findings.text_search.Index
    *questions : str
    n : int
        Number of events.
    """
    asked = classes_of(*questions)
    if not asked:
        known = ", ".join(_worded(name) for name in WORDS)
        return f"Precision: not known, because the question names no class of events ({known})."
    of_class = np.isin(index.classes, asked)
    found = of_class[np.argsort(-index.ask(*questions), kind="stable")[:n]]
    names = " or ".join(_worded(name) for name in asked)
    return (
        f"Precision: {found.mean():.0%}. Of the {len(found)} events found, {found.sum()} are of the class {names}. "
        f"A random choice would reach {100 * of_class.mean():.2g}%, its share of all {len(of_class):,} events."
    )


def warnings(index, *questions: str) -> Iterator[str]:
    """A line for each class that the questions name and of which the index has no event, or too few to learn from.

    Parameters
    ----------
    index : seisbook.findings.text_search.Index
    *questions : str
    """
    for name in classes_of(*questions):
        number = int((index.classes == name).sum())
        if not number:
            yield f"none of these {len(index.classes):,} events is of the class {_worded(name)}: none can be found"
        elif number < FEWEST_OF_CLASS:
            counted = "only one event is" if number == 1 else f"only {number} events are"
            yield f"{counted} of the class {_worded(name)}, too few to learn from: expect other events"
