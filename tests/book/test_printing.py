"""Paper: pandas' tables as LaTeX, measurements, and pages that are prepared once."""

import re

import nbformat
import pandas as pd
import pytest

from seisbook.book import binding, printing

LONG = "a sentence that has to be broken into several lines, since nothing of this length fits into a line " * 2


def rows(table):
    """Cells of a table's lines, head and body."""
    lines = re.findall(r"^(.*?) \\\\", table, re.M)
    return [[cell.strip() for cell in line.split(" & ")] for line in lines]


def columns(table):
    return re.search(r"\\begin\{longtable\}\{@\{\}(.*)@\{\}\}", table).group(1)


def test_a_table_keeps_its_cells_in_their_columns():
    frame = pd.DataFrame({"error (km)": [1.5, 2.0], "kind": ["50 %", "a_b & c"]}, index=["one", "two"])
    table = printing.table(frame._repr_html_())
    assert columns(table) == "lrl"
    head, *body = rows(table)
    assert head == ["", "error (km)", "kind"]
    assert body[0] == ["one", "1.5", r"50 \%"]
    assert r"a\_b \& c" in table


def test_no_text_is_taken_for_latex():
    texts = [
        r"\input{/etc/passwd}",
        "^^5cinput{x}",
        "*x",
        "[5cm]",
        "$a$ & % # _ ^ ~ {}",
        "```{raw} html",
        "\x0b\x00\x7fa",
    ]
    table = printing.table(pd.DataFrame({"text": texts})._repr_html_())
    _head, *body = [row[0] for row in rows(table)]
    assert len(body) == len(texts)
    for line in body:
        commands = re.sub(r"\\(text\w+\{\}|sphinxhyphen\{\}|[$&%#_{}])", "", line)
        assert "\\" not in commands
        assert not re.search(r"[$&%#_^~\x00-\x1f\x7f]", commands)
    assert body[2:4] == ["{*}x", "{[}5cm{]}"]


def test_names_of_the_index_share_a_line_with_the_columns():
    index = pd.MultiIndex.from_product([["colombia", "ridgecrest"], ["dynamic", "static"]], names=["network", "arm"])
    table = rows(printing.table(pd.DataFrame({"n": range(4)}, index=index)._repr_html_()))
    assert table[0] == ["network", "arm", "n"]
    assert table[2] == ["", "static", "1"]  # the network is said once
    assert table[3] == ["ridgecrest", "dynamic", "2"]


def test_columns_in_groups_have_the_groups_name_once():
    groups = pd.MultiIndex.from_product([["colombia", "ridgecrest"], ["a", "b"]])
    table = printing.table(pd.DataFrame([[1, 2, 3, 4]], columns=groups, index=["x"])._repr_html_())
    assert r"\multicolumn{2}{l}{colombia} & \multicolumn{2}{l}{ridgecrest}" in table
    assert r"\cmidrule(lr){2-3}\cmidrule(lr){4-5}" in table


def test_rows_without_names_are_not_numbered():
    frame = pd.DataFrame({"claim": ["C1", "C2"]})
    assert rows(printing.table(frame._repr_html_())) == [["claim"], ["C1"], ["C2"]]
    assert rows(printing.table(frame.set_axis([3, 5])._repr_html_()))[1] == ["3", "C1"]


def test_only_what_does_not_fit_is_broken():
    frame = pd.DataFrame({"text": [LONG], "n": ["0.1 [0, 1]"]}, index=["row"])
    with pd.option_context("display.max_colwidth", None):
        found = columns(printing.table(frame._repr_html_()))
    width = float(re.fullmatch(r"l>\{\\raggedright\\arraybackslash\}p\{([\d.]+)\\linewidth\}r", found).group(1))
    assert 0.6 < width < 1


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(binding, "BUILD", tmp_path_factory.mktemp("build"))
        pages = binding._stage("committed") / "book"
    printing.prepare(pages)
    return pages


def test_chapters_are_counted_from_the_first_one(prepared):
    start = (prepared / "index.md").read_text()
    assert start.startswith("# Earthquakes on graphs")
    assert not re.search("^## ", start, re.M)
    assert r"\addcontentsline{toc}{chapter}{Earthquakes on graphs}" in start


def test_measurements_are_unfolded_each_with_its_columns(prepared, tested):
    text = (prepared / "measurements.md").read_text()
    names = sorted({one.id for one in tested})
    assert sorted(re.findall(r"^```\{rubric\} (C\d+): ", text, re.M)) == names
    tops = re.findall(r"\{tabularcolumns\} (.+)\n```\n```\{table\}\n:class: longtable\n\n(.+)", text)
    assert len(tops) == len(names)
    assert "dropdown" not in text
    for spec, head in tops:
        assert len(re.findall(r">\{.*?\}p\{.*?\}|[lr]", spec)) == head.count("|") - 1


def test_no_table_is_left_in_an_output(prepared):
    for chapter in prepared.glob("*.ipynb"):
        for cell in nbformat.read(chapter, as_version=4).cells:
            assert not ["dataframe" for output in cell.get("outputs", []) if 'class="dataframe"' in str(output)]
