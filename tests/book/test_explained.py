"""What is said of the claims' evidence is checked against the chapters and the records themselves."""

import re
from dataclasses import replace

import pytest

from seisbook import cli, records
from seisbook.book import explained, notebooks
from seisbook.findings import claims, evidence
from seisbook.paths import ROOT


@pytest.mark.parametrize("figure", evidence.FIGURES)
def test_each_figure_stands_in_the_chapter_that_is_named(figure):
    text = "\n".join(
        cell.source
        for cell in notebooks.read(ROOT / f"{evidence.FIGURES[figure].chapter}.ipynb").cells
        if cell.cell_type == "markdown"
    )
    assert re.search(rf"^##+ {re.escape(explained.section(figure))}$", text, re.M)


def test_a_figure_that_is_in_no_chapter_is_not_found(monkeypatch):
    monkeypatch.setitem(evidence.FIGURES, "fig-none", evidence.Shown("book/01_data", ()))
    with pytest.raises(KeyError, match="fig-none"):
        explained.section("fig-none")


def test_the_records_that_are_named_are_those_that_were_read(tested, monkeypatch):
    """The records that a claim's rows were judged by, as they are opened, and as the table of figures says."""
    for name in claims.TESTS:
        opened, split = set(), records.split
        monkeypatch.setattr(records, "split", lambda path, opened=opened, split=split: opened.add(path) or split(path))
        rows = claims.claims(name)
        monkeypatch.undo()
        named = {
            path
            for row in rows
            for path in evidence.files(row.evidence["figure"], row.network, row.source, row.profile)
        }
        assert named <= opened, name


def test_the_ledger_counts_the_verdicts_of_each_claim_and_links_to_sections(tested):
    rows = [row for row in tested if row.id == "C3"]
    rows = [replace(rows[0], verdict="supported"), replace(rows[0], verdict="not supported")]
    text = explained.ledger(rows)
    assert len(text.splitlines()) == 2 + 1
    assert f"| {claims.STATEMENTS['C3']} | {claims.TESTED_BY['C3']} | 1 **supported**, 1 **not supported** |" in text
    figure = rows[0].evidence["figure"]
    assert text.count(f"{{ref}}`{explained.section(figure)} <{figure}>`") == 1


def test_every_row_is_explained_and_every_command_is_one(tested, capsys):
    """All rows, each with its record and the commands that make it again, which the command line takes."""
    text = explained.explain(tested)
    assert len(re.findall(r"^\d+\. ", text, re.M)) == len(tested)
    blocks = re.split(r"^(?=\d+\. )", text, flags=re.M)[1:]
    assert all(re.search(r"^   record +data/results/\S+\.json: \d+ tr", block, re.M) for block in blocks)
    for command in set(re.findall(r"^   redo +seisbook (.*)$", text, re.M)):
        assert cli._parser().parse_args(command.split()).command, command


def test_the_command_line_explains_one_claim(capsys):
    assert cli.main(["claims", "C1", "--explain"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"C1: {claims.STATEMENTS['C1']}")
    assert "C2" not in out
    assert "section 'What another thousand events would buy'" in out
