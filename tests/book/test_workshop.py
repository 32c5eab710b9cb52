"""Editions of the chapters: one source, learners without solutions, teachers with solutions that run."""

import re
import zipfile

import nbformat
import pytest

from seisbook.book import chapters, workshop
from seisbook.errors import UserError

CHAPTERS = chapters.chapters()
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)

TEXT = """\
(top)=
# Title

As {cite:p}`wang2019dgcnn` says, {glue:text}`error` km; see {numref}`fig-map` and {doc}`the data <01_data>`.

```{note}
Mind this.
```

## Exercises

```{exercise} Add · 5 minutes
:label: ex-add

Add one to `x` and call it `y`.

    assert y == 2, "one more"
```

```{solution} ex-add
:class: dropdown

    y = x + 1

    y

Because.
```

## Further reading
"""
GLUED = {
    "output_type": "display_data",
    "data": {"application/papermill.record/text/plain": "'5.6'"},
    "metadata": {"scrapbook": {"name": "error"}},
}


@pytest.fixture
def chapter(tmp_path):
    figure = {"mystnb": {"figure": {"name": "fig-map", "caption": "A finding."}}}
    outputs = [nbformat.from_dict(GLUED), nbformat.v4.new_output("stream", text="printed")]
    parameters = nbformat.v4.new_code_cell('profile = "paper"  # size', metadata={"tags": ["parameters"]})
    cells = [parameters, nbformat.v4.new_code_cell("x = 1", outputs=outputs, metadata=figure)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    made = nbformat.v4.new_notebook(cells=[*cells, nbformat.v4.new_markdown_cell(TEXT)], metadata=kernel)
    nbformat.write(made, tmp_path / "01_one.ipynb")
    return tmp_path / "01_one.ipynb"


def sources(edition, kind):
    return [cell.source for cell in edition.cells if cell.cell_type == kind]


def test_learners_get_no_solution_and_no_output(chapter):
    made = workshop.edition(chapter, solutions=False)
    text = str(made)
    assert "Because" not in text
    assert "x + 1" not in text
    assert sources(made, "code") == ['profile = "quick"  # size', "x = 1", "# Your answer", 'assert y == 2, "one more"']
    assert not any(cell.outputs for cell in made.cells if cell.cell_type == "code")
    nbformat.validate(made)


def test_teachers_get_the_solution_where_learners_write(chapter):
    made = workshop.edition(chapter, solutions=True)
    assert sources(made, "code")[2:] == ["y = x + 1\n\ny", 'assert y == 2, "one more"']
    assert "**Solution.** Because." in sources(made, "markdown")


def test_text_needs_no_extension_of_jupyter(chapter):
    text = "\n".join(sources(workshop.edition(chapter, solutions=False), "markdown"))
    assert "As [wang2019dgcnn] says, 5.6 km; see **fig-map** and **the data**." in text
    assert "> **Note**\n>\n> Mind this." in text
    assert "**fig-map.** A finding." in text
    assert "### Exercise: Add · 5 minutes\n\nAdd one to `x` and call it `y`." in text
    assert "## Further reading" in text
    assert "(top)=" not in text


def test_a_solution_that_fails_its_check_is_found(chapter, monkeypatch, tmp_path):
    monkeypatch.setattr(chapters, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(workshop, "FOLDER", tmp_path / "_build/workshop")
    (made,) = workshop.teachers([chapter], progress=False)
    assert made.is_file()
    notebook = nbformat.read(chapter, as_version=4)
    notebook.cells[-1].source = TEXT.replace("y = x + 1", "y = x")
    nbformat.write(notebook, chapter)
    with pytest.raises(RuntimeError, match="AssertionError: one more"):
        workshop.teachers([chapter], progress=False)


@pytest.mark.parametrize("wrong", [("· 5 minutes", ""), ("{solution} ex-add", "{solution} ex-ad")])
def test_an_exercise_without_minutes_or_solution_is_refused(chapter, wrong):
    notebook = nbformat.read(chapter, as_version=4)
    notebook.cells[-1].source = TEXT.replace(*wrong)
    nbformat.write(notebook, chapter)
    with pytest.raises(UserError, match=r"01_one\.ipynb: exercise 'Add"):
        workshop.exercises(chapter)


@each_chapter
def test_four_exercises_or_more_from_short_to_long(path):
    found = workshop.exercises(path)
    minutes = [exercise.minutes for exercise in found]
    assert len(found) >= 4
    assert minutes == sorted(minutes), f"{path.name}: exercises are not ordered by their minutes: {minutes}"
    for exercise in found:
        assert exercise.statement
        assert exercise.explanation, f"{path.name}: {exercise.label} is not explained"
        for code in (exercise.solution, exercise.check):
            compile(code, exercise.label, "exec")
    assert sum(bool(exercise.solution) for exercise in found) >= 3


@each_chapter
def test_nothing_of_a_solution_is_left_for_learners(path):
    made = workshop.edition(path, solutions=False)
    text = "\n".join(cell.source for cell in made.cells)
    for exercise in workshop.exercises(path):
        assert exercise.title in text
        assert exercise.explanation.splitlines()[0] not in text
        assert not exercise.solution or exercise.solution not in text
    assert "{solution}" not in text
    assert "{glue:" not in text


def test_the_plans_give_each_exercise_its_minutes():
    page = (chapters.BOOK / "workshop.md").read_text(encoding="utf-8")
    minutes = {exercise.label: exercise.minutes for chapter in CHAPTERS for exercise in workshop.exercises(chapter)}
    planned = re.findall(r"\{ref\}`(ex-[\w-]+)` \((\d+)\)", page)
    assert len(planned) == page.count("{ref}`ex-")
    assert {label: int(given) for label, given in planned} == {label: minutes[label] for label, _ in planned}


def test_the_plans_add_up():
    page = (chapters.BOOK / "workshop.md").read_text(encoding="utf-8")
    half, full = (page.split(f"## {title}")[1].split("\n## ")[0] for title in ("Half a day", "A full day"))
    blocks = [[int(n) for n in re.findall(r"^\| (\d+) \|", plan, re.M)] for plan in (half, full)]
    assert sum(blocks[0]) == 210  # three and a half hours
    assert blocks[1][0] == sum(blocks[0]) - blocks[0][-1]  # the morning, without its last block
    assert sum(blocks[1]) == 450


def test_a_zip_needs_the_html_and_the_packages(tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "BUILD", tmp_path)
    with pytest.raises(UserError, match="make book"):
        workshop.pack(progress=False)


def test_the_zip_holds_all_that_the_evening_before_needs(tmp_path, monkeypatch):
    monkeypatch.setattr(workshop, "BUILD", tmp_path)
    monkeypatch.setattr(workshop, "FOLDER", tmp_path / "workshop")
    monkeypatch.setattr(workshop, "WHEELHOUSE", tmp_path / "wheelhouse")
    for name in ("html/index.html", "wheelhouse/one-1.0-py3-none-any.whl"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("something")
    path = workshop.pack(progress=False)
    with zipfile.ZipFile(path) as archive:
        names = {name.removeprefix("seisbook-workshop/") for name in archive.namelist()}
        start = archive.read("seisbook-workshop/START.md").decode()
    wanted = {"html/index.html", "learner/01_data.ipynb", "wheelhouse/one-1.0-py3-none-any.whl", "requirements.lock"}
    assert wanted | {"seisbook/cli.py", "pyproject.toml", "data/networks/colombia.yaml"} <= names
    assert "--no-index" in start
    assert not [name for name in names if name.startswith(("_build", ".git/", ".venv"))]
