"""Text in tables that a spreadsheet may open: none of it becomes a formula there.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and a formula may run a command or send
the sheet's content away. Texts come from bulletins, which anybody can write. In front of such a text, `metadata.csv`
has an apostrophe, which spreadsheets take as the mark of a text. Whoever reads the table with SeisBook gets the text as
it was; SeisBench and other programs see the apostrophe. Numbers, also those in columns of text, are as they were.
"""

import re

import pandas as pd

FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def guarded(table: pd.DataFrame) -> pd.DataFrame:
    """A table with an apostrophe in front of each text that a spreadsheet would take for a formula.

    A text that begins with apostrophes and goes on like a formula gets one more, so that `restored` can tell.
    """
    return _changed(table, lambda text: f"'{text}" if _is_formula(text) and not NUMBER.fullmatch(text) else text)


def restored(table: pd.DataFrame) -> pd.DataFrame:
    """The table that was guarded."""
    return _changed(table, lambda text: text[1:] if text.startswith("'") and _is_formula(text) else text)


def _is_formula(text):
    return FORMULA.match(text.lstrip("'")) is not None


def _changed(table, change):
    changed = {}
    for name, column in table.select_dtypes(["object", "string"]).items():
        values = [change(value) if isinstance(value, str) else value for value in column]
        changed[name] = pd.Series(values, column.index, column.dtype)
    return table.assign(**changed)
