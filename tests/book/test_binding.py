"""Binding: staging, addresses, the notation page, and clear messages where something is missing."""

import importlib
import inspect
import re
import shutil
import zipfile
from base64 import b64decode

import nbformat
import numpy as np
import pytest
import yaml
from PIL import Image

from seisbook import cli, files
from seisbook.book import binding, chapters, printing, translation
from seisbook.book.pages import ICONS
from seisbook.book.pictures import few_colours
from seisbook.errors import UserError
from seisbook.paths import BOOK, ROOT
from tests.breaking import killed

REPOSITORY, SITE = "https://github.com/someone/seisbook", "https://someone.github.io/seisbook/"
KERNEL = {"name": "python3", "display_name": "Python", "language": "python"}


def named(text):
    """The object that `package.module.name.name: variable` of the notation page names; fails if there is none."""
    path, _, variable = text.partition(": ")
    package, module, *names = path.split(".")
    found = importlib.import_module(f"seisbook.{package}.{module}")
    for name in names:
        fields = inspect.get_annotations(found) if inspect.isclass(found) else {}
        assert name in fields or hasattr(found, name), f"seisbook.{path}: there is no {name}"
        found = getattr(found, name, None)
    if variable:
        assert variable in found.__code__.co_varnames, f"seisbook.{path} has no variable {variable}"


def test_notation_names_what_is_in_the_code():
    rows = [line for line in (BOOK / "notation.md").read_text().splitlines() if line.startswith("| $")]
    assert len(rows) > 30
    for row in rows:
        for name in re.findall(r"`([^`]+)`", row.split("|")[-2]):
            named(name)


@pytest.mark.parametrize("missing", ["Nothing", "ModelConfig.nothing", "STGCBlock.forward: nothing"])
def test_a_name_that_is_not_in_the_code_is_noticed(missing):
    with pytest.raises(AssertionError, match=r"othing"):
        named(f"models.graph.{missing}")


def test_committed_chapters_are_staged_with_ledger_and_cover(monkeypatch, tmp_path):
    monkeypatch.setattr(binding, "BUILD", tmp_path)
    staged = binding._stage("committed")
    for page in chapters.pages():
        assert list(staged.glob(f"{page}.*")), f"{page} is not staged"
    assert (staged / "book" / "networks.png").read_bytes().startswith(b"\x89PNG")
    assert (staged / "book" / "ledger.png").read_bytes().startswith(b"\x89PNG")
    assert "1. **Are about a thousand events" in (staged / "book" / "answers.md").read_text()
    assert "| C1 |" in (staged / "book" / "ledger.md").read_text()
    assert "{dropdown} C1:" in (staged / "book" / "measurements.md").read_text()


def test_no_hyphen_stands_for_a_minus_in_tables_and_quoted_results(tmp_path):
    data = {
        translation.GLUED: "'-0.01 [-0.08, 0.07] in 2018-02-01'",
        "text/html": "<style>th { margin: -1px }</style><table><th style='top: -1px'>at -5 dB</th><td>-3</td></table>",
        "text/plain": "-3",
    }
    output = nbformat.v4.new_output("display_data", data)
    path = tmp_path / "a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("a", outputs=[output])]), path)
    binding._set_minus_signs(path)
    shown = nbformat.read(path, as_version=4).cells[0].outputs[0].data
    assert shown[translation.GLUED] == "'−0.01 [−0.08, 0.07] in 2018-02-01'"
    assert "margin: -1px" in shown["text/html"]
    assert "<th style='top: -1px'>at −5 dB</th><td>−3</td>" in shown["text/html"]
    assert shown["text/plain"] == "-3"


def test_chapters_that_were_not_executed_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(binding, "BUILD", tmp_path)
    with pytest.raises(UserError, match=r"01_data.ipynb has not been executed: run .* --profile paper"):
        binding._stage("paper")


def test_a_figure_that_is_gone_is_named():
    with pytest.raises(UserError, match="no figure 'fig-nothing'"):
        binding._drawn(BOOK / "01_data.ipynb", "fig-nothing")


def test_launch_buttons_need_a_repository():
    assert "launch_buttons" not in yaml.safe_load(binding._config("", ""))
    config = yaml.safe_load(binding._config(REPOSITORY, SITE))
    assert config["repository"]["url"] == REPOSITORY
    assert config["html"]["baseurl"] == SITE
    assert {"binderhub_url", "colab_url", "jupyterhub_url"} <= set(config["launch_buttons"])


@pytest.mark.parametrize("address", ["github.com/someone/seisbook", "javascript:alert(1)", 'https://x.org/"><script>'])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(UserError, match="is no web address"):
        binding._config(address, "")


def test_missing_latex_is_explained(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    assert cli.main(["book", "build", "--to", "pdf"]) == 2
    assert "apt install texlive-xetex" in capsys.readouterr().err


def test_zip_holds_the_pages_in_one_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(binding, "BUILD", tmp_path)
    monkeypatch.setattr(binding, "HTML", tmp_path / "html")
    monkeypatch.setattr(binding, "ZIP", tmp_path / "book.zip")
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("start")
    (tmp_path / "html" / ".stamp").write_text("")
    (tmp_path / "secret").write_text("password")
    (tmp_path / "html" / "page.html").symlink_to(tmp_path / "secret")
    (tmp_path / "html" / "more").symlink_to(tmp_path, target_is_directory=True)
    monkeypatch.setattr(binding, "html", lambda outputs: tmp_path / "html" / "index.html")
    names = zipfile.ZipFile(binding.archive()).namelist()
    assert [name for name in names if not name.endswith("/")] == ["seisbook/index.html"]


@pytest.fixture
def tiny_pages(tmp_path, monkeypatch):
    """A build of pages that takes no time: each page holds the name of its outputs."""

    def stage(outputs, repository="", site=""):
        (tmp_path / "source").mkdir(exist_ok=True)
        (tmp_path / "source" / "page.md").write_text(outputs)
        return tmp_path / "source"

    def bind(staged, builder):
        made = tmp_path / "site" / builder
        shutil.rmtree(made, ignore_errors=True)
        (made / "book").mkdir(parents=True)
        for name in ("index.html", "book/one.html", "book/two.html"):
            (made / name).write_text((staged / "page.md").read_text())
        return made

    monkeypatch.setattr(binding, "BUILD", tmp_path)
    monkeypatch.setattr(binding, "HTML", tmp_path / "html")
    monkeypatch.setattr(binding, "_stage", stage)
    monkeypatch.setattr(binding, "_jupyter_book", bind)
    monkeypatch.setattr(binding, "_add_edition", lambda staged, made, language: None)
    return tmp_path / "html"


def shown(pages):
    """What the pages hold, of three in all."""
    texts = [path.read_text() for path in sorted(pages.rglob("*.html"))]
    assert len(texts) == 3
    return set(texts)


@pytest.mark.parametrize("exchange", [True, False])
def test_pages_are_whole_wherever_the_build_is_killed(tiny_pages, breaker, monkeypatch, exchange):
    if not exchange:
        monkeypatch.setattr(files, "_exchange", lambda one, other: False)
    binding.html("quick")
    steps = breaker.stop(-1, None, lambda: binding.html("committed"))
    seen = set()
    for at in range(1, steps + 1):
        binding.html("quick")
        assert killed(breaker, at, lambda: binding.html("committed"))
        seen.add(frozenset(shown(tiny_pages)) if tiny_pages.exists() else None)
        binding.html("quick")
        assert shown(tiny_pages) == {"quick"}
        assert not list(tiny_pages.parent.glob(".html*"))
    assert seen - {None} == {frozenset({"quick"}), frozenset({"committed"})}
    assert not exchange or None not in seen


@pytest.fixture
def small_book(tmp_path):
    """Sources of a book of two pages, with this book's configuration, of a build that knows its addresses."""
    shutil.copytree(BOOK, tmp_path / "book", ignore=shutil.ignore_patterns("*.ipynb", "*.md"))
    (tmp_path / "_config.yml").write_text(binding._config(REPOSITORY, SITE))
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: book/index\nchapters: [{file: book/01_data}]\n")
    (tmp_path / "book" / "index.md").write_text("# Start\n\nA page with `code`.\n")
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})
    notebook.cells = [nbformat.v4.new_markdown_cell("# Chapter"), nbformat.v4.new_code_cell("1 + 1")]
    nbformat.write(notebook, tmp_path / "book" / "01_data.ipynb")
    return tmp_path


@pytest.mark.html
def test_published_pages_open_chapters_elsewhere(small_book, monkeypatch):
    monkeypatch.setattr(binding, "BUILD", small_book / "_build")
    made = binding._jupyter_book(small_book, "html")
    chapter, start = ((made / "book" / name).read_text() for name in ("01_data.html", "index.html"))
    assert "https://mybinder.org/v2/gh/someone/seisbook/main?urlpath=lab/tree/book/01_data.ipynb" in chapter
    assert "https://colab.research.google.com/github/someone/seisbook/blob/main/book/01_data.ipynb" in chapter
    assert "mybinder.org" not in start
    assert f'<base href="{SITE}" />' in (made / "404.html").read_text()
    assert (ROOT / "book" / "01_data.ipynb").is_file()  # where the buttons look for it


@pytest.mark.html
def test_latex_source_has_all_chapters_and_no_warning():
    source = binding.latex().read_text(encoding="utf-8")
    found = re.findall(r"^\\chapter\{(.+?)\}", source, re.M)
    titles = [re.search(r"^# (.+)$", text_of(page), re.M).group(1) for page in chapters.pages()[1:]]
    assert found[: len(titles)] == titles
    assert not re.search(r"<\S+ object>", source)
    assert not re.search(r"\\ref\{\\detokenize\{[^}]*:ex-", source)  # sphinx-exercise has labels of its own
    assert set(re.findall(r"\\hyperref\[(exercise:[\w-]+)\]", source)) <= set(re.findall(r"\\label\{(.+?)\}", source))
    assert not re.search(r"\\begin\{sphinxadmonition\}\{\w+\}(?!\{)", source)  # a box without a title
    assert r"\begin{longtable}{ll>{\raggedright" in source  # measurements


@pytest.mark.parametrize("path", chapters.chapters(), ids=lambda path: path.stem)
def test_what_only_pages_can_show_has_something_for_paper(path):
    cells = nbformat.read(path, as_version=4).cells
    shown = [
        output.data for cell in cells for output in cell.get("outputs", []) if "text/html" in output.get("data", {})
    ]
    for data in shown:
        if "image/png" not in data:
            assert printing.table(data["text/html"]).count("\n") > 8
    assert not any("<script" in data["text/html"] and "image/png" not in data for data in shown)


def text_of(page):
    notebook = ROOT / f"{page}.ipynb"
    if notebook.is_file():
        return "\n".join(cell.source for cell in nbformat.read(notebook, as_version=4).cells)
    return (ROOT / f"{page}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("chapter", "figure"), [("01_data", "fig-networks"), ("02_model", "fig-rewiring")])
def test_lighter_figures_look_the_same(chapter, figure, tmp_path):
    path = tmp_path / "figure.png"
    path.write_bytes(b64decode(binding._drawn(BOOK / f"{chapter}.ipynb", figure)["image/png"]))
    before, size = np.asarray(Image.open(path).convert("RGB"), int), path.stat().st_size
    few_colours(path, path)
    changed = np.abs(np.asarray(Image.open(path).convert("RGB"), int) - before).max(-1)
    assert path.stat().st_size < size / 2
    assert np.mean(changed > 24) < 1e-3  # a tenth of the range of a colour


def test_icons_are_dropped_from_a_page_of_this_theme():
    theme = next(iter(importlib.metadata.files("pydata-sphinx-theme")), None).locate().parent.parent
    macros = next(theme.rglob("pydata_sphinx_theme/static/webpack-macros.html"))
    page = re.sub(r"\{\{ pathto\('([^']+)', 1\) \}\}", r"../\1", macros.read_text())
    assert "fontawesome.js" in page
    assert "fontawesome.js" not in ICONS.sub("", page)


@pytest.mark.parametrize(("path", "target"), [(".github/workflows/publish.yml", "site"), (".ci/run", "test")])
def test_what_runs_elsewhere_is_in_the_makefile(path, target):
    called = re.findall(r"(?:run: |^exec )make ([a-z]+)", (ROOT / path).read_text(), re.M)
    assert called == [target]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.M)


def test_both_workflows_are_yaml_with_steps():
    for name, command in {"test": ".ci/run", "publish": "make site"}.items():
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())
        steps = workflow["jobs"][name]["steps"]
        assert any(step.get("run", "").startswith(command) for step in steps)
