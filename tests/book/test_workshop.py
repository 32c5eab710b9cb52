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


LOCKED = "# two\none==1.0 \\\n    --hash=sha256:0\nTwo_packages==2.0 \\\n    --hash=sha256:0\n"
PACKED = ("html/index.html", "html/.stamp", "wheelhouse/.made", "wheelhouse/one-1.0-py3-none-any.whl")
ANSWER = "an answer " * 2 + "of a teacher"  # which this file itself does not hold, because it is packed too
TWO = "wheelhouse/two_packages-2.0+cpu-py3-none-any.whl"


@pytest.fixture
def build(tmp_path, monkeypatch):
    """A build folder with all that a zip needs, for a lock of two packages."""
    monkeypatch.setattr(workshop, "BUILD", tmp_path)
    monkeypatch.setattr(workshop, "FOLDER", tmp_path / "workshop")
    monkeypatch.setattr(workshop, "WHEELHOUSE", tmp_path / "wheelhouse")
    monkeypatch.setattr(workshop.lock, "LOCK", tmp_path / "requirements.lock")
    (tmp_path / "requirements.lock").write_text(LOCKED)
    for name in (*PACKED, TWO):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("something")
    return tmp_path


def packed():
    with zipfile.ZipFile(workshop.pack(progress=False)) as archive:
        contents = {name.removeprefix("seisbook-workshop/"): archive.read(name) for name in archive.namelist()}
    assert len(contents) == len({name.lower() for name in contents})
    return contents


def test_the_zip_holds_all_that_the_evening_before_needs(build):
    contents = packed()
    wanted = {"html/index.html", "learner/01_data.ipynb", "wheelhouse/one-1.0-py3-none-any.whl", TWO}
    wanted |= {"seisbook/cli.py", "pyproject.toml", "data/networks/colombia.yaml", "requirements.lock", "postBuild"}
    assert wanted <= set(contents)
    start = contents["START.md"].decode()
    assert "--no-index --find-links wheelhouse --no-deps --require-hashes" in start
    assert not [name for name in contents if name.startswith(("_build", ".git/", ".venv"))]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("html/index.html", "html: the pages are missing or not complete: run `make book`"),
        ("html/.stamp", "html: the pages are missing or not complete: run `make book`"),
        ("wheelhouse/one-1.0-py3-none-any.whl", "no wheel for this machine of one 1.0: run `make workshop`"),
        (TWO, "no wheel for this machine of two-packages 2.0: run `make workshop`"),
        ("wheelhouse/.made", "collecting the packages did not end: run `make workshop`"),
    ],
)
def test_what_is_missing_is_named(build, name, said):
    (build / name).unlink()
    with pytest.raises(UserError, match=re.escape(said)):
        workshop.pack(progress=False)
    assert not list(build.rglob("*.zip"))


@pytest.mark.parametrize(
    "other", ["one-1.1-py3-none-any", "one-1.0-cp27-cp27m-win32", "one-1.0", "onetwo-1.0-py3-none-any"]
)
def test_a_wheel_of_another_version_or_system_does_not_count(build, other):
    one = build / "wheelhouse" / "one-1.0-py3-none-any.whl"
    one.rename(one.with_name(f"{other}.whl"))
    with pytest.raises(UserError, match="of one 1"):
        workshop.pack(progress=False)


def test_nothing_hidden_linked_or_of_a_teacher_goes_into_the_zip(build):
    secret = build / "secret"
    (secret / "deeper").mkdir(parents=True)
    for path in (
        secret / "password",
        secret / "deeper" / "password",
        build / "workshop" / "learner" / ".ipynb_checkpoints" / "01_data-checkpoint.ipynb",
        build / "workshop" / "learner" / "01_data-solved.ipynb",
        build / "workshop" / "teacher" / "01_data.ipynb",
        build / "html" / ".cache" / "deep" / "page.html",
        build / "html" / "book" / ".ipynb_checkpoints" / "page.html",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ANSWER)
    (build / "html" / "hosts.html").symlink_to(secret / "password")
    (build / "html" / "more").symlink_to(secret, target_is_directory=True)
    (build / "wheelhouse" / "three-1.0-py3-none-any.whl").symlink_to(secret / "password")
    (build / "workshop" / "learner" / "02_model.ipynb").symlink_to(secret / "password")
    contents = packed()
    assert [name for name, content in contents.items() if ANSWER.encode() in content] == []
    assert [name for name in contents if any(part.startswith(".") for part in name.split("/"))] == []
    assert {name for name in contents if name.startswith("learner/")} == {f"learner/{path.name}" for path in CHAPTERS}
    assert (secret / "password").read_text() == ANSWER


def test_a_link_among_the_project_is_not_followed(build, tmp_path, monkeypatch):
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (tmp_path / "secret").write_text("password")
    (root / "data" / "real.csv").write_text("1")
    (root / "data" / "link.csv").symlink_to(tmp_path / "secret")
    (root / "linked").symlink_to(root / "data", target_is_directory=True)
    monkeypatch.setattr(workshop, "ROOT", root)
    monkeypatch.setattr(workshop, "_tracked", lambda: ["data/real.csv", "data/link.csv", "linked/real.csv"])
    assert {name for name in packed() if name.endswith(".csv")} == {"data/real.csv"}
