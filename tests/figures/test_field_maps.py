"""Figures of the fields chapter, and that the page's own script predicts what the library predicts."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from seisbook.figures import field_maps
from seisbook.measures import field_structure
from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_methods import Information, hide
from tests import chromium
from tests.models.made_fields import REGION, parts


@pytest.fixture(scope="module")
def normal():
    return ConditionalNormal(Information(site_terms=False)).fit(parts()[0])


@pytest.fixture(scope="module")
def event():
    _, test = parts()
    return test.select([int(np.argmax(test.sizes))])


@pytest.fixture(scope="module")
def view(normal, event):
    near = field_structure.nearest(event, 20)
    return field_structure.view(normal, near, field_structure.grid(near, 60, 12))


def test_observed_and_hidden_stations_are_told_apart(normal, event):
    observed, places = hide(event, 0.5), field_structure.grid(event, 100, 4)
    figure = field_maps.seen(REGION, event, observed, {"law": ([1, 100], [1.0, -1.0])}, places)
    right = next(axis for axis in figure.axes if "distance" in axis.get_xlabel())
    assert [text.get_text() for text in right.get_legend().get_texts()] == ["observed", "hidden", "law"]
    lengths = [len(line.get_xdata()) for line in right.lines]
    assert lengths == [observed.sum(), (~observed).sum(), 2]


def test_values_outside_of_their_interval_are_marked(normal, event):
    observed = hide(event, 0.5)
    figure = field_maps.hidden(event, observed, {"one": normal.predict(event, observed)})
    (axis,) = figure.axes
    assert axis.get_title(loc="left") == "one"
    assert sum(len(part.lines[0].get_xdata()) for part in axis.containers) == (~observed).sum()


def test_each_method_has_a_map_and_its_uncertainty(normal, event):
    observed, places = hide(event, 0.5), field_structure.grid(event, 100, 5)
    figure = field_maps.field(REGION, event, observed, places, {"one": normal.predict_at(event, observed, places)})
    titles = [axis.get_title(loc="left") for axis in figure.axes if axis.get_title(loc="left")]
    assert titles == ["one: field", "one: uncertainty"]


def test_all_blocks_are_drawn(normal, event):
    table = pd.DataFrame({"distance_km": [5.0, 50], "mean": [0.02, 0.05], "robust": [0.02, 0.04], "pairs": [9, 9]})
    heard = pd.DataFrame({"distance_km": [5.0, 50], "weight": [0.9, 0.1], "nearest": [1, 0], "block 1": [0.5, 0.5]})
    left, right = field_maps.structure(table, ([0, 90], [0.01, 0.05]), heard).axes
    assert len(left.lines) == 3
    assert [line.get_ydata()[-1] for line in right.lines] == pytest.approx([100, 100, 100])
    assert right.lines[0].get_ydata()[0] == pytest.approx(90)


def test_the_explorer_needs_nothing_else(view):
    shown = field_maps.explorer(view, "one event")
    assert not re.findall(r"https?://|\bsrc=|\bimport\b|\bfetch\b", shown.data)
    content = json.loads(re.search(r"const data = (.*);\n", shown.data).group(1))
    assert [one["code"] for one in content["stations"]] == view.codes
    assert sorted(content["order"]) == list(range(len(view.codes)))
    assert len(shown.data) < 60_000
    assert shown._repr_png_().startswith(b"\x89PNG")


@pytest.fixture
def page(browser, view, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(f'<!doctype html><meta charset="utf-8">{field_maps.explorer(view, "one event").data}', "utf-8")
    opened = browser.new_page(viewport={"width": 360, "height": 740})
    opened.goto(path.as_uri())
    yield opened
    opened.close()


def said(page):
    return page.locator("p[aria-live]").text_content()


@chromium.needed
def test_the_page_predicts_what_the_library_predicts(page, view):
    page.locator("input").evaluate("one => { one.value = 6; one.dispatchEvent(new Event('input')); }")
    labels = page.locator("g[role=button]").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    kept = np.array(["removed" not in label for label in labels])
    assert kept.sum() == 6
    mean, half = (part[len(view.grid) :] for part in field_structure.conditioned(view, kept))
    for label, expected, is_kept in zip(labels, mean, kept, strict=True):
        if not is_kept:
            assert float(label.split("predicted ")[1].split(" ")[0]) == pytest.approx(10**expected, rel=0.06)
    inside = (np.abs(view.value - mean) <= half)[~kept].sum()
    error = 10 ** np.sqrt(np.mean((view.value - mean)[~kept] ** 2))
    assert said(page).startswith(f"{(~kept).sum()} removed")
    assert f"{inside} of them inside" in said(page)
    assert float(re.search(r"factor of ([\d.]+)", said(page)).group(1)) == pytest.approx(error, rel=0.06)


@chromium.needed
def test_the_keyboard_removes_a_station_and_brings_it_back(page, view):
    first = page.locator("g[role=button]").first
    assert "all stations" in said(page)
    picture = page.locator("svg image").get_attribute("href")
    first.focus()
    page.keyboard.press("Enter")
    assert said(page).startswith("1 removed")
    assert first.get_attribute("aria-pressed") == "false"
    assert page.locator("svg image").get_attribute("href") != picture
    page.keyboard.press(" ")
    assert "all stations" in said(page)
    assert page.locator("svg image").get_attribute("href") == picture


@chromium.needed
def test_a_phone_shows_it_whole(page):
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("select").select_option("uncertainty")
    assert "×" in page.locator("svg").text_content()


@chromium.needed
def test_no_station_is_left_when_all_are_removed(page, view):
    page.locator("input").evaluate("one => { one.value = 0; one.dispatchEvent(new Event('input')); }")
    assert said(page).startswith(f"{len(view.codes)} removed")
