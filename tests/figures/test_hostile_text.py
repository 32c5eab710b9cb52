"""Texts and names that somebody wrote to harm a reader, in every interactive figure and page, opened in a browser."""

import json
import re
from pathlib import Path

import jinja2
import numpy as np
import pandas as pd
import pytest

from seisbook.book import explained
from seisbook.figures import attention as attention_figures
from seisbook.figures import style
from seisbook.figures import variance as variance_figures
from seisbook.findings import claims
from seisbook.paths import BOOK
from tests import chromium

HOSTILE = (
    "</script><script>harm()</script>",
    "<img src=x onerror=harm()>",
    "<!--<script>harm()",
    "]]><svg onload=harm()>",
    '" onmouseover="harm()" onfocus="harm()" x="',
    "' onmouseover='harm()' onfocus='harm()' x='",
    '";harm();//',
    "${harm()}",
    "`+harm()+`",
    "\u2028harm();\u2029",
    "\\u003cimg src=x onerror=harm()\\u003e",
    "&lt;img src=x onerror=harm()&gt;",
    "__ESCAPED____DATA____UNIT__",
)
ALL = " ".join(HOSTILE)
HEAD = '<!doctype html><meta charset="utf-8"><script>let harmed = 0; const harm = () => { harmed += 1; };</script>'
EXPLORERS = sorted(Path(style.__file__).parent.glob("*_explorer.html"))

pytestmark = chromium.needed


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens the body of a page, and moves, points at and chooses everything in it."""
    pages = []

    def open_body(body):
        path = tmp_path / "page.html"
        path.write_text(f'{HEAD}{body}<p id="after">after</p>', encoding="utf-8")
        pages.append(browser.new_page())
        complaints = []
        pages[-1].on("pageerror", lambda error: complaints.append(str(error)))
        pages[-1].goto(path.as_uri())
        pages[-1].evaluate(
            """() => {
                const all = what => [...document.querySelectorAll(what)];
                const move = one => one.dispatchEvent(new Event("input", {bubbles: true}));
                for (const select of all("select"))
                    for (let i = 0; i < select.options.length; i++) { select.selectedIndex = i; move(select); }
                for (const slider of all("input[type=range]"))
                    for (const value of [slider.max, slider.min]) { slider.value = value; move(slider); }
                for (const one of all("body *")) for (const kind of ["mouseover", "focusin", "focus", "click"])
                    if (one.isConnected) one.dispatchEvent(new Event(kind, {bubbles: true}));
            }"""
        )
        pages[-1].wait_for_timeout(100)  # a picture that is not there takes a moment to fail
        return pages[-1], complaints

    yield open_body
    for page in pages:
        page.close()


def harmed(page):
    return page.evaluate("harmed")


def check_harmless(opened, body, shown=HOSTILE[1]):
    """No script ran, the page goes on after the figure, and the hostile text can be read there."""
    page, complaints = opened(body)
    assert harmed(page) == 0
    assert complaints == []
    assert page.locator("#after").is_visible()
    texts = page.evaluate("[...document.querySelectorAll('body, option, title')].map(one => one.textContent).join()")
    assert shown in re.sub(r"<script>.*?</script>", "", texts, flags=re.S)


def attention_page():
    columns = {"event": 4, "station_code": HOSTILE[:3], "east_km": [0.0, 1, 0], "north_km": [0.0, 0, 2]}
    columns |= {"selection_1": [0.0, 0.25, 0.75], "rollout": [0.0, 0.25, 0.75], "emphasis": [2.5, 2.0, 0.0]}
    columns |= {"leave_one_out_km": [1.0, 2, 1], "integrated_gradients": [1.0, -2, 1]}
    table = pd.DataFrame(columns).assign(epicentral_km=1.0, magnitude=2.12, depth_km=14.0)
    shares = {"rollout": [1], ALL: [1]}
    everything = [{"name": ALL, "place": [[1, 2]], "stations": [ALL], "shares": shares}]
    return attention_figures.explorer(table, analyst=HOSTILE[1]).data + filled("attention", everything)


def precision_page():
    dataset, parts = variance_figures.Dataset("colombia"), {"data": 0.04, "seed": 0.01, "residual": 0.09}
    components, means = ({dataset: dict.fromkeys(HOSTILE[:2], one)} for one in (parts, 8.0))
    content = [{"name": ALL, "arms": [variance_figures._explored(ALL, parts, 8.0)]}]
    return variance_figures.precision_explorer(components, means, HOSTILE[1]).data + filled(
        "precision", content, unit=ALL, z=1.96
    )


def alignment_page():
    kinds = [{"name": ALL, "colour": '"><img src=x onerror=harm()>'}, {"name": "tectonic", "colour": "red"}]
    questions = [{"text": ALL, "x": 0.5, "y": 0.5}]
    events = [{"x": 0.1 * i, "y": 0.2, "class": i % 2, "text": ALL, "scores": [i]} for i in range(4)]
    return filled("alignment", {"classes": kinds, "questions": questions, "events": events})


def robustness_page():
    outline = [[0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]]
    step = {"severity": ALL, "error": ALL, "epicentre": [0.0, 0.1], "outline": outline, "stations": outline}
    axis = {"title": ALL, "steps": [{**step, "traces": [[0, 9, -9]]}] * 2}
    return filled("robustness", {"label": [0.0, 0.0], "window": ALL, "axes": [axis]})


def fields_page():
    scale = {"low": -1.0, "high": 1.0, "colours": ["#000000", '"><img src=x onerror=harm()>']}
    stations = [
        {"code": code, "x": i, "y": -i, "value": 0.5, "prior": 0.1, "extra": 0}
        for i, code in enumerate((*HOSTILE, ALL))
    ]
    content = {"title": ALL, "stations": stations, "order": list(range(len(stations))), "side": 2, "half": 20}
    content |= {
        "source": [0, 0],
        "prior": [0.1] * 4,
        "extra": 0,
        "event": 0.1,
        "own": 0.1,
        "spatial": [0.1],
        "range": [9],
    }
    return filled("fields", content | {"reach": 2, "least": 1e-4, "scales": {"field": scale, "uncertainty": scale}})


def filled(name, content, **others):
    (template,) = (path for path in EXPLORERS if path.name == f"{name}_explorer.html")
    return style.filled(template, content, **others)


FIGURES = {
    "alignment": alignment_page,
    "attention": attention_page,
    "fields": fields_page,
    "precision": precision_page,
    "robustness": robustness_page,
}


def test_no_explorer_is_forgotten():
    assert sorted(FIGURES) == [path.name.removesuffix("_explorer.html") for path in EXPLORERS]


@pytest.mark.parametrize("name", FIGURES)
def test_an_explorer_runs_no_script_of_its_data(opened, name):
    check_harmless(opened, FIGURES[name]())


@pytest.mark.parametrize("name", FIGURES)
def test_without_its_function_an_explorer_would(opened, monkeypatch, name):
    monkeypatch.setattr(style, "ESCAPED", "words => words")
    assert harmed(opened(FIGURES[name]())[0])


def test_without_the_escapes_a_script_would_end_early(opened, monkeypatch):
    monkeypatch.setattr(style, "_literal", lambda value: json.dumps(value))
    assert harmed(opened(attention_page())[0])


def test_a_table_shows_texts_as_they_are(opened):
    table = pd.DataFrame({"text": HOSTILE, HOSTILE[1]: np.arange(len(HOSTILE))}, index=HOSTILE)
    table.index.name = HOSTILE[1]
    with pd.option_context("display.max_colwidth", None):
        check_harmless(opened, table._repr_html_())


def test_slides_show_headings_and_notes_as_they_are(opened):
    slide = {"kind": "title", "heading": ALL, "shown": [], "notes": [ALL]}
    template = jinja2.Template((BOOK / "_templates" / "slides.html").read_text(encoding="utf-8"))
    page = template.render(deck=[slide, {**slide, "kind": "table"}], page="../book/01_data.html", book=ALL)
    page = re.sub(r"<script[^>]*src=[^>]*></script>", "", page)  # MathJax and reveal.js are not here
    page = page.replace("await MathJax.startup.promise;", "").replace("Reveal.initialize", "Object.keys")
    check_harmless(opened, page.replace("[RevealNotes, RevealZoom]", "[]"))


def test_the_ledger_has_a_row_a_claim_whatever_the_records_say(tested):
    """Its texts are the library's; names of networks come from records, and are one cell of a table."""
    assert len(explained.ledger(tested).splitlines()) == 2 + len({claim.id for claim in tested})
    text = re.sub(r"<(fig-[\w-]+)>", r"\1", explained.ledger(tested) + claims.measurements(tested))  # labels of links
    assert not re.search(r"<\w", text)
