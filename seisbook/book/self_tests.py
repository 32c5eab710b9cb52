r"""Self-tests: questions with choices at the end of a chapter; each choice unfolds to what is right or wrong in it.

The questions of chapter 02 are in `book/self_tests/02.yaml`: a list, each with its `question`, the number of the
`right` choice, counted from one, and `choices`, each with `text` and `why`. All of them are MyST. A chapter shows them
with one directive:

    ```{selftest} 02
    ```

As a Sphinx extension, which `_config.yml` loads, this module makes HTML in which a choice is a `<details>` element. It
opens with the mouse or the keyboard, and needs no script; a few lines of script count the questions that were answered
right at the first attempt. In print, the answers follow the questions.
"""

from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx import addnodes

from seisbook import yaml_text
from seisbook.errors import UserError
from seisbook.paths import BOOK

FOLDER = BOOK / "self_tests"
LETTERS = "ABCDEF"
WORDS = {
    "right": "Right.",
    "wrong": "Not this one.",
    "score": "Right at the first attempt: {right} of {answered} answered, {all} in all.",
}
"""Words around the questions, which an edition in another language replaces by Sphinx's setting `selftest_words`."""
SCORE = r"""
<p class="selftest-score" role="status" hidden></p>
<script>
for (const test of document.querySelectorAll(".selftest")) {
  const questions = [...test.querySelectorAll(".selftest-question")], score = test.querySelector(".selftest-score");
  const first = new Map();
  test.addEventListener("toggle", ({ target }) => {
    const question = target.closest(".selftest-question");
    if (!target.open || !question || first.has(question)) return;
    first.set(question, target.classList.contains("selftest-right"));
    const right = [...first.values()].filter(Boolean).length;
    score.hidden = false;
    const numbers = { right, answered: first.size, all: questions.length };
    score.textContent = "SCORE".replace(/{(\w+)}/g, (field, name) => numbers[name]);
  }, true);
}
</script>"""


class Choice(NamedTuple):
    """A choice of a question, and what is right or wrong in it; both are MyST."""

    text: str
    why: str


class Question(NamedTuple):
    """A question, its choices, and the place of the right one among them, counted from 0."""

    text: str
    choices: list[Choice]
    right: int


def load(number: str, folder: Path | None = None) -> list[Question]:
    """The questions of the chapter with this number, such as `02`.

    Parameters
    ----------
    number : str
    folder : Path, optional
        Folder with the files of questions; by default, the book's own.

    Raises
    ------
    UserError
        If there is no such file, or a question in it is not complete.
    """
    path = (folder or FOLDER) / f"{number}.yaml"
    if not path.is_file():
        raise UserError(f"{path}: no such file: write the questions of chapter {number}")
    try:
        found = yaml_text.parse(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: {error}") from None
    if not isinstance(found, list):
        raise UserError(f"{path}: a list of questions is needed")
    return [_question(path, place, one) for place, one in enumerate(found, 1)]


def _question(path, place, one):
    """A question, of what a file says in one place."""
    try:
        choices = [Choice(choice["text"].strip(), choice["why"].strip()) for choice in one["choices"]]
        text, right = one["question"].strip(), one["right"]
        if not 2 <= len(choices) <= len(LETTERS) or right not in range(1, len(choices) + 1):
            raise ValueError
    except (KeyError, TypeError, AttributeError, ValueError):
        reason = f"'question', 'right' and 2 to {len(LETTERS)} 'choices' are needed, each with 'text' and 'why'"
        raise UserError(f"{path}: question {place}: {reason}; 'right' is the number of a choice") from None
    return Question(text, choices, right - 1)


def plain(number: str) -> str:
    """The questions of a chapter as Markdown for Jupyter alone; the answers are folded away."""
    parts = []
    for place, question in enumerate(load(number), 1):
        parts += [f"**Question {place}.** {question.text}", _listed(question)]
        whys = [f"- {LETTERS[i]}: {_judged(question, i)}" for i in range(len(question.choices))]
        parts.append("\n".join(["<details><summary>Answers</summary>", "", *whys, "", "</details>"]))
    return "\n\n".join(parts) + "\n"


def _listed(question):
    return "\n".join(f"- {letter}: {choice.text}" for letter, choice in zip(LETTERS, question.choices, strict=False))


def _judged(question, i, words=WORDS):
    """What is said of a choice when it is unfolded."""
    return f"**{words['right' if i == question.right else 'wrong']}** {question.choices[i].why}"


# ------------------------------------------------------------------------------------------------------------- Sphinx


def setup(app) -> dict:
    """Add the directive `selftest`."""
    app.add_directive("selftest", SelfTest)
    app.add_config_value("selftest_words", WORDS, "env")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class SelfTest(Directive):
    """Directive that shows the questions of one chapter, whose number is its argument."""

    required_arguments = 1

    def run(self):
        """Nodes for pages on which choices unfold, and nodes for all other builders."""
        number = self.arguments[0]
        env = self.state.document.settings.env
        staged = Path(env.srcdir, "book", FOLDER.name)  # where an edition in another language has its own
        folder = staged if staged.is_dir() else FOLDER
        questions, self.words = load(number, folder), env.config.selftest_words
        self.state.document.settings.record_dependencies.add(str(folder / f"{number}.yaml"))
        folded = addnodes.only(expr="html")
        test = nodes.container(classes=["selftest"])
        test += [self._folded(place, question) for place, question in enumerate(questions, 1)]
        test += nodes.raw("", SCORE.replace("SCORE", self.words["score"]), format="html")
        folded += test
        printed = addnodes.only(expr="not html")
        printed += self._parsed(_printed(questions))
        return [folded, printed]

    def _folded(self, place, question):
        """A question whose choices unfold."""
        made = nodes.container(classes=["selftest-question"])
        made += self._parsed(f"**{place}.** {question.text}")
        for i, choice in enumerate(question.choices):
            name = "selftest-right" if i == question.right else "selftest-wrong"
            made += nodes.raw("", f'<details class="selftest-choice {name}"><summary>', format="html")
            made += self._inline(f"{LETTERS[i]}. {choice.text}")
            made += nodes.raw("", "</summary>", format="html")
            made += self._parsed(_judged(question, i, self.words))
            made += nodes.raw("", "</details>", format="html")
        return made

    def _parsed(self, text):
        """Nodes of a text in MyST."""
        parent = nodes.Element()
        self.state.nested_parse(StringList(text.splitlines()), self.lineno, parent)
        return parent.children

    def _inline(self, text):
        """Nodes of a text in MyST without its paragraph: a summary holds words, not blocks."""
        holder = nodes.inline(classes=["selftest-text"])
        (paragraph,) = self._parsed(text)
        holder += paragraph.children
        return holder


def _printed(questions):
    """All questions in MyST, then all answers."""
    parts = []
    for place, question in enumerate(questions, 1):
        parts += [f"**Question {place}.** {question.text}", _listed(question)]
    for place, question in enumerate(questions, 1):
        parts.append(f"**Answer {place}**: {LETTERS[question.right]}. {question.choices[question.right].why}")
    return "\n\n".join(parts)
