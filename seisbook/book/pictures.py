"""Pictures of figures: with few colours, and with their texts in other languages."""

import base64
import io
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from textwrap import fill, wrap

from IPython.core.pylabtools import print_figure
from matplotlib.category import StrCategoryFormatter
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter
from PIL import Image

MIME = "application/vnd.seisbook.figure+json"
"""Type of the output of `output`."""
LONGER = 1.25  # the longest line of a label, at most, over that in English
WORD = re.compile(r"[^\W\d_]{2}")
NO_NAME = re.compile(r"\b(?!(?:km|nm|cm|ms)\b)[^\W\d_A-Z]{2}")
"""What makes a text worth a translation: names of places and stations have capitals, and units stay."""
MATHEMATICS = re.compile(r"\$[^$]*\$")


def output(figure: Figure, sayers: dict[str, Callable[[str], str]]) -> dict:
    """What a notebook holds of a figure in other languages.

    Parameters
    ----------
    figure : Figure
    sayers : dict of callable
        By language, a function that translates a text.

    Returns
    -------
    dict
        `texts`, the texts of the figure, and by language `said`, what they became, and `pictures`, the PNG in base64.
    """
    found, pictures = texts(figure), {}
    for language, say in sayers.items():
        with saying(figure, say):
            pictures[language] = _small(print_figure(figure, "png", bbox_inches="tight"))
    said = {language: [say(text) for text in found] for language, say in sayers.items()}
    return {"texts": found, "said": said, "pictures": pictures}


def picture(drawn: dict, language: str) -> str:
    """PNG in base64 of an output's data: in a language if it has that, else in English."""
    return drawn.get(MIME, {"pictures": {}})["pictures"].get(language, drawn["image/png"])


def swapped(notebook, language: str):
    """A notebook whose figures are in a language, where they have it."""
    for cell in notebook.cells:
        for shown in cell.get("outputs", []):
            if MIME in shown.get("data", {}):
                shown.data["image/png"] = picture(shown.data, language)
                del shown.data[MIME]
    return notebook


def in_notebook(notebook) -> list[str]:
    """Texts of the figures in a notebook's outputs."""
    outputs = [shown for cell in notebook.cells for shown in cell.get("outputs", [])]
    return [text for shown in outputs for text in shown.get("data", {}).get(MIME, {"texts": []})["texts"]]


def texts(figure: Figure) -> list[str]:
    """Texts of a figure that have words, each once and in one line."""
    found = {}

    def keep(text):
        if NO_NAME.search(MATHEMATICS.sub("", text)):
            found.setdefault(text)
        return text

    with saying(figure, keep):
        return list(found)


@contextmanager
def saying(figure: Figure, say: Callable[[str], str]) -> Iterator[None]:
    """Replace the texts of a figure for a while by what a function makes of each.

    Labels of ticks are replaced where the code has set them; those that follow from an axis's numbers stay.
    """
    with ExitStack() as stack:
        ticks = set()
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
            _replace_ticks(axis, say, stack)
            ticks.update(*((tick.label1, tick.label2) for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())))
        for text in figure.findobj(Text):
            if text not in ticks:
                stack.callback(text.set_text, text.get_text())
                text.set_text(_said(text.get_text(), say))
        yield


def _replace_ticks(axis, say, stack):
    """Replace the labels of an axis that the code has set, until a stack is left; they get hardly wider."""
    formatter = axis.get_major_formatter()
    if isinstance(formatter, FuncFormatter) and isinstance(formatter.func, partial):  # of `set_ticks` with labels
        (labels,) = formatter.func.args
        stack.callback(setattr, formatter, "func", formatter.func)
        said = _narrow(labels.values(), say)
        formatter.func = partial(formatter.func.func, dict(zip(labels, said, strict=True)))
    elif isinstance(formatter, StrCategoryFormatter):
        stack.callback(setattr, formatter, "_units", formatter._units)
        formatter._units = dict(zip(_narrow(formatter._units, say), formatter._units.values(), strict=True))


def _narrow(labels, say):
    """Labels as a function says them, each broken into lines that are hardly longer than the longest one was."""
    width = round(LONGER * max(len(line) for label in labels for line in ("", *label.split("\n"))))
    return [fill(said, width) if len(said := _said(label, say)) > width else said for label in labels]


def _said(text, say):
    """What a text becomes; one of several lines is one message, and is broken again into as many lines."""
    if not WORD.search(text):
        return text
    said, lines = say(" ".join(text.replace("-\n", "-").split())), text.split("\n")
    width = max(map(len, lines))
    while len(wrap(said, width)) > len(lines):
        width += 1
    return fill(said, width) if len(lines) > 1 else said


def few_colours(source, target) -> None:
    """Store a picture with the 256 colours that fit it best; most figures have hardly more.

    Parameters
    ----------
    source, target : path or binary file
    """
    with Image.open(source) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
    few.save(target, "png", optimize=True)


def _small(picture):
    """A picture with few colours, in base64; a notebook holds it beside the English one."""
    small = io.BytesIO()
    few_colours(io.BytesIO(picture), small)
    return base64.b64encode(small.getvalue()).decode()
