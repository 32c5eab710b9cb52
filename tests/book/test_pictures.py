"""Figures in other languages: which texts they have, that these are translated, and that the English figure stays."""

import base64
import io

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from IPython.core.pylabtools import print_figure
from PIL import Image

from seisbook.book import notebooks, pictures, translation
from seisbook.paths import BOOK

WORDS = {
    "travel time (s)": "tiempo de viaje (s)",
    "near and far": "cerca y también lejos",
    "the first station": "la primera estación",
    "a long title in two lines": "un título largo en dos líneas",
    "model, 7 km deep": "modelo, 7 km de profundidad",
    "shallow": "poco hondo",
    "deep": "hondo",
}


def spanish(text):
    return WORDS.get(text, text)


@pytest.fixture
def figure():
    figure, axes = plt.subplots(1, 2)
    axes[0].plot([1, 2], label="model, 7 km deep")
    axes[0].set(xlabel="travel time (s)", ylabel="200 km", title="a long title\nin two lines")
    axes[0].set_yticks([1, 2], ["near and far", "Bogotá"])
    axes[0].legend()
    axes[1].barh(["shallow", "deep"], [1, 2])
    axes[1].text(0.5, 0.5, "the first station")
    axes[1].annotate("$t_{near}$ CLC", (0, 0))
    plt.close(figure)
    return figure


def said(figure):
    with pictures.saying(figure, spanish):
        figure.draw_without_rendering()
        labels = [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
        return labels, figure.axes[0].get_title(), figure.axes[0].get_legend().get_texts()[0].get_text()


def test_texts_with_words_are_found_wherever_they_stand(figure):
    assert sorted(pictures.texts(figure)) == sorted(WORDS)


def test_each_text_is_translated_and_numbers_names_and_units_stay(figure):
    labels, title, entry = said(figure)  # labels are in lines hardly longer than the longest one
    assert labels == [
        "cerca y también\nlejos",
        "Bogotá",
        "poco\nhondo",
        "hondo",
    ]
    assert title == "un título largo\nen dos líneas"
    assert entry == "modelo, 7 km de profundidad"
    assert figure.axes[0].get_ylabel() == "200 km"


def test_the_english_figure_is_as_it_was(figure):
    before = print_figure(figure, "png")
    pictures.output(figure, {"es": spanish})
    assert print_figure(figure, "png") == before


def test_a_picture_shows_the_other_language(figure):
    made = pictures.output(figure, {"es": spanish, "none": lambda text: text})
    assert made["said"]["es"] == [WORDS[text] for text in made["texts"]]
    drawn, english = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(made["pictures"][name]))).convert("L"), int)
        for name in ("es", "none")
    )
    assert drawn.shape != english.shape or np.abs(drawn - english).max() > 100


def test_a_notebook_gets_the_pictures_of_a_language_or_keeps_the_english_ones():
    data = [
        {"image/png": "english", pictures.MIME: {"texts": ["deep"], "pictures": {"es": "spanish"}}},
        {"image/png": "alone"},
        {"text/plain": "1"},
    ]
    outputs = [nbformat.v4.new_output("display_data", data=one) for one in data]
    cells = [nbformat.v4.new_markdown_cell("x"), nbformat.v4.new_code_cell("y", outputs=outputs)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    assert pictures.in_notebook(notebook) == ["deep"]
    swapped = pictures.swapped(notebook, "es").cells[1].outputs
    assert [one.data for one in swapped] == [{"image/png": "spanish"}, {"image/png": "alone"}, {"text/plain": "1"}]
    assert pictures.picture(data[0], "fr") == "english"


@pytest.mark.parametrize("language", translation.EDITIONS)
def test_the_committed_figures_speak_each_language_as_the_catalogue_does_now(language):
    say = translation.Translator(language).phrase
    paths = [BOOK.parent / f"{page}.ipynb" for page in translation.pages(language)]
    shown = [
        output.data
        for path in paths
        if path.is_file()
        for cell in notebooks.read(path).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {}) and "text/html" not in output.data
    ]
    assert len(shown) > 20
    for data in shown:
        drawn = data[pictures.MIME]
        assert drawn["said"][language] == [say(text) for text in drawn["texts"]]
        assert drawn["pictures"][language]
