"""Self-tests: complete questions, folded answers in every edition, and an answer that opens with the keyboard."""

import html
import re
import shutil

import pytest
from playwright.sync_api import sync_playwright
from sphinx.application import Sphinx

from seisbook.book import chapters, notebooks, self_tests, workshop
from seisbook.errors import UserError
from tests import chromium

NUMBERS = sorted(path.stem for path in self_tests.FOLDER.glob("*.yaml"))
each = pytest.mark.parametrize("number", NUMBERS)


@each
def test_there_are_five_questions_with_a_reason_for_each_choice(number):
    questions = self_tests.load(number)
    assert len(questions) == len({question.text for question in questions}) == 5
    for question in questions:
        assert len({choice.text for choice in question.choices}) == len(question.choices) >= 3
        assert len({choice.why for choice in question.choices}) == len(question.choices)
        assert all(len(choice.why.split()) >= 6 and choice.why.endswith(".") for choice in question.choices)
    assert len({question.right for question in questions}) > 1, "the right choice is always at the same place"


@each
def test_no_number_that_was_measured_is_typed(number):
    text = (self_tests.FOLDER / f"{number}.yaml").read_text(encoding="utf-8")
    words = re.sub(
        r"^  right: \d+$|seed 0|weights? (is |are )?[01]\b|0 and 1|all others 0|contains? 1|below 1\b",
        "",
        text,
        flags=re.M,
    )
    assert not re.findall(r"\d*\.\d+|\d{2,}|\d+ ?(?:km|s|Hz|%)\b", words)


@pytest.mark.parametrize("path", chapters.chapters(), ids=lambda path: path.stem)
def test_every_chapter_shows_its_own_questions_before_further_reading(path):
    (cell,) = (cell for cell in notebooks.read(path).cells if "{selftest}" in cell.source)
    assert re.search(rf"^```{{selftest}} {path.stem[:2]}\n```\n\n## Further reading", cell.source, re.M)


def test_a_learner_sees_the_questions_with_the_answers_folded():
    (text,) = (
        cell.source for cell in workshop.edition(chapters.chapters()[0], False).cells if "Question 1" in cell.source
    )
    assert "selftest" not in text
    assert text.count("<details><summary>Answers</summary>") == text.count("**Right.**") == 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("question: one", "a list of questions"),
        ("- question: one\n  right: 1\n", "question 1: 'question', 'right'"),
        ("- question: one\n  right: 3\n  choices: [{text: a, why: b}, {text: c, why: d}]", "'right' is the number"),
        ("- question: one\n  right: 1\n  choices: [{text: a, why: b}, {text: c}]", "each with 'text' and 'why'"),
        ("- [", "02.yaml"),
    ],
)
def test_a_question_that_is_not_complete_is_refused_with_its_place(tmp_path, text, reason):
    (tmp_path / "02.yaml").write_text(text)
    with pytest.raises(UserError, match=re.escape(reason)) as caught:
        self_tests.load("02", tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="no such file"):
        self_tests.load("03", tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A page with the questions of one chapter, as HTML and as text."""
    source = tmp_path_factory.mktemp("page")
    shutil.copytree(self_tests.FOLDER, source / "book" / self_tests.FOLDER.name)
    (source / "index.md").write_text("# A page\n\n```{selftest} 01\n```\n", encoding="utf-8")
    settings = {"extensions": ["myst_parser", "seisbook.book.self_tests"], "project": "test"}
    for builder in ("html", "text"):
        Sphinx(source, None, source / builder, source / "trees", builder, settings, status=None, warning=None).build()
    return source


def test_a_page_has_each_choice_folded_and_print_has_the_answers_last(built):
    page = (built / "html" / "index.html").read_text(encoding="utf-8")
    printed = (built / "text" / "index.txt").read_text(encoding="utf-8")
    questions = self_tests.load("01")
    assert page.count("<details class=") == sum(len(question.choices) for question in questions)
    assert page.count('selftest-choice selftest-right"') == len(questions)
    assert "Answer 1" not in page
    assert "<details" not in printed
    assert printed.index("Answer 1") > printed.index("Question 5")
    assert all(
        html.escape(choice.text.split("`")[0], quote=False)[:20] in page for one in questions for choice in one.choices
    )


@chromium.needed
@pytest.mark.parametrize("script", [True, False])
def test_a_choice_opens_with_the_keyboard_with_and_without_script(built, script):
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium.CHROMIUM)
        page = browser.new_context(java_script_enabled=script).new_page()
        page.goto((built / "html" / "index.html").as_uri())
        choices = page.locator(".selftest-choice")
        for i in (self_tests.load("01")[0].right, 3):  # the right choice of question 1, the first of question 2
            choices.nth(i).locator("summary").focus()
            page.keyboard.press("Enter")
        assert page.locator(".selftest-choice[open]").count() == 2
        assert page.get_by_text("Right.", exact=True).first.is_visible()
        right = 1 + (self_tests.load("01")[1].right == 0)
        if script:
            page.get_by_text(f"Right at the first attempt: {right} of 2 answered, 5 in all.").wait_for()
        else:
            assert not page.locator(".selftest-score").is_visible()
        browser.close()
