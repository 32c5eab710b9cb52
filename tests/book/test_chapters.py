"""Checks that hold for every chapter of the book, on its committed source."""

import ast
import json
import re
import statistics

import nbformat
import pytest

from seisbook import cli
from seisbook.book import chapters, parameters
from seisbook.errors import UserError
from seisbook.paths import ROOT
from tests.book import prose

CHAPTERS = chapters.chapters()
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def parameters_cell(path):
    cells = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1, f"{path.name} has {len(cells)} cells tagged 'parameters'"
    return cells[0]


def test_the_book_has_chapters():
    assert CHAPTERS


@each_chapter
def test_parameters_are_documented(path):
    for line in parameters_cell(path).source.splitlines():
        assert re.fullmatch(r"[a-z_]+ = .+  # .{10,}", line), f"{path.name}: parameter without a comment: {line}"


@each_chapter
def test_cells_are_short(path):
    lengths = [len(cell.source.splitlines()) for cell in code_cells(path)]
    assert max(lengths) <= 25, f"{path.name}: a code cell of {max(lengths)} lines"
    assert statistics.median(lengths) <= 10


@each_chapter
def test_the_library_does_the_work(path):
    for cell in code_cells(path):
        tree = ast.parse("\n".join(line for line in cell.source.splitlines() if not line.startswith(("%", "!"))))
        assert not any(isinstance(node, ast.ClassDef) for node in ast.walk(tree)), f"{path.name} defines a class"
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 8, (
                    f"{path.name}: the function {node.name} belongs in the library"
                )


def drawn(cell):
    """Whether a cell draws: by what it printed when it was committed."""
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


@each_chapter
def test_figures_have_name_caption_and_alt_text(path):
    figures = [cell for cell in code_cells(path) if drawn(cell)]
    assert figures, f"{path.name} shows no figure"
    names, texts = [], []
    for cell in figures:
        render = cell.metadata.get("mystnb", {})
        where = f"{path.name}: figure of the cell '{cell.source.splitlines()[0]}'"
        assert len(render.get("figure", {}).get("caption", "")) > 40, f"{where} has no caption"
        assert re.fullmatch(r"fig-[a-z0-9-]+", render.get("figure", {}).get("name", "")), f"{where} has no name"
        assert len(render.get("image", {}).get("alt", "")) > 20, f"{where} has no alternative text"
        names.append(render["figure"]["name"])
        texts.append(render["image"]["alt"])
    assert len(names) == len(set(names)), f"{path.name}: a figure's name is used twice"
    assert len(texts) == len(set(texts)), f"{path.name}: two figures have the same alternative text"


@each_chapter
def test_committed_with_outputs_and_without_errors(path):
    cells = code_cells(path)
    assert any(cell.outputs for cell in cells), f"{path.name} is committed without outputs"
    assert not [output for cell in cells for output in cell.outputs if output.output_type in ("error", "stream")], (
        f"{path.name} is committed with an error or with something on a stream"
    )


@each_chapter
def test_no_table_shows_names_of_the_code(path):
    outputs = [output.get("data", {}) for cell in code_cells(path) for output in cell.outputs]
    tables = [data["text/html"] for data in outputs if "<table" in data.get("text/html", "")]
    cells = [cell for table in tables for cell in re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", table)]
    assert not [cell for cell in cells if re.fullmatch(r"[a-z]+(_[a-z]+)+", cell)]


@each_chapter
def test_boxes_that_code_prints_are_boxes_on_the_page(path):
    for cell in code_cells(path):
        said = "".join(output.get("data", {}).get("text/markdown", "") for output in cell.outputs)
        assert ":::" not in said or cell.metadata["mystnb"]["markdown_format"] == "myst"


@each_chapter
def test_no_measurement_is_typed_in_prose(path):
    """A decimal number with a unit in prose must be glued from a result."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"```.*?```|\$.*?\$|`[^`]*`", "", cell.source, flags=re.S)
            assert not re.findall(r"\d+\.\d+ (?:km|s|units?|%)\b", prose), f"{path.name}: a typed measurement"


@each_chapter
def test_a_paragraph_has_at_most_two_numbers(path):
    """The rest belongs in the figure or the table."""
    many = {text: found for text in prose.paragraphs(path) if len(found := prose.numbers(text)) > 2}
    assert not many


@each_chapter
def test_misspelt_parameter_is_refused(path, capsys):
    with pytest.raises(UserError, match=r"choose among .*seed"):
        parameters.parse(path, {"sede": "1"})
    assert cli.main(["book", "run", "--chapter", path.stem, "-p", "sede", "1"]) == 2
    assert "sede" in capsys.readouterr().err


@each_chapter
def test_parameter_of_the_wrong_type_is_refused(path):
    for text in ("many", "1.5", "true", "[", ""):
        with pytest.raises(UserError, match="parameter seed is"):
            parameters.parse(path, {"seed": text})
    assert parameters.parse(path, {"seed": "7"}) == {"seed": 7}


@pytest.mark.parametrize("text", ["8" * 6000, "2026-02-30", "[" * 5000, "&a [*a]", "!!timestamp x"])
def test_a_parameter_that_yaml_stumbles_over_is_refused_in_one_short_line(text):
    with pytest.raises(UserError, match="parameter seed is") as caught:
        parameters.parse(CHAPTERS[0], {"seed": text})
    assert len(str(caught.value)) < 200


def test_profile_is_no_parameter_to_give_twice():
    with pytest.raises(UserError, match="--profile"):
        chapters.run(CHAPTERS, "quick", {"profile": "paper"})


def test_unknown_chapter_is_refused():
    with pytest.raises(UserError, match="01_data"):
        chapters.find_chapter("99")
    assert chapters.find_chapter("1").stem == "01_data"


@each_chapter
def test_fingerprint_follows_what_a_chapter_depends_on(path, tmp_path):
    parameters = {"profile": "quick", "seed": 0}
    copy = tmp_path / path.name
    notebook = json.loads(path.read_text())
    copy.write_text(json.dumps(notebook))
    assert chapters.fingerprint(copy, parameters) == chapters.fingerprint(path, parameters)
    assert chapters.fingerprint(path, {**parameters, "seed": 1}) != chapters.fingerprint(path, parameters)
    for change in ({"source": "# Another title"}, {"metadata": {"mystnb": {"figure": {"caption": "Another caption"}}}}):
        changed = [notebook["cells"][0] | change, *notebook["cells"][1:]]
        copy.write_text(json.dumps(notebook | {"cells": changed}))
        assert chapters.fingerprint(copy, parameters) != chapters.fingerprint(path, parameters)


def test_fingerprint_follows_the_phrases_where_a_chapter_has_an_edition(monkeypatch, tmp_path):
    monkeypatch.setattr(chapters, "LOCALE", tmp_path)
    catalogues = tmp_path / "es" / "LC_MESSAGES"
    catalogues.mkdir(parents=True)
    (catalogues / "01_data.po").write_text("")
    paths, found = [chapters.find_chapter(number) for number in ("01", "03")], []
    for text in ("one", "another"):
        (catalogues / "phrases.po").write_text(text)
        found.append([chapters.fingerprint(path, {}) for path in paths])
    assert found[0][0] != found[1][0]
    assert found[0][1] == found[1][1]


def test_source_folders_hold_no_local_path():
    for path in [*CHAPTERS, ROOT / "README.md"]:
        assert str(ROOT) not in path.read_text(), f"{path.name} names a folder of the machine it was written on"
