"""What the book needs on paper beyond its pages: tables of LaTeX, headings, and references that LaTeX can follow.

`seisbook.book.binding.latex` prepares the staged pages with `prepare`; as a Sphinx extension, `_config.yml` loads it
too.
"""

import re
from itertools import groupby
from xml.etree import ElementTree

import nbformat
from docutils import nodes
from sphinx import addnodes
from sphinx.util import texescape
from sphinx_exercise.utils import get_node_number
from sphinx_proof.nodes import proof_node

LINE = 120  # letters of a table's size in a line, those that its gaps take included
GAP = 2  # letters between two columns
FEW = 12  # rows that stay together
NOT_WORDS = re.compile(r"(nan|inf|[^A-Za-z])*")  # a column of these is set flush right
OPENING = r"""\chapter*{%s}
\addcontentsline{toc}{chapter}{%s}
\markboth{%s}{%s}"""  # of the start page, which Sphinx takes the title from
WRAPPED = r">{\raggedright\arraybackslash}p{%.3f\linewidth}"
UNFOLDED = rf"""```{{rubric}} %s
```
```{{tabularcolumns}} l{WRAPPED % 0.33}llll
```
```{{table}}
:class: longtable

%s```"""  # a claim's measurements, which fold in the pages
TABLE = r"""\needspace{%d\baselineskip}
\begin{longtable}{@{}%s@{}}
\toprule
%s
\midrule
\endhead
\bottomrule
\endfoot
%s
\end{longtable}"""
texescape.init()


def setup(app) -> dict:
    """Connect the functions of this module to Sphinx's events."""
    app.connect("doctree-resolved", mend_exercise_references)
    app.connect("doctree-resolved", unbox_proofs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def mend_exercise_references(app, doctree, docname) -> None:
    """Point references at exercises to the labels that sphinx-exercise writes, when they come from another page."""
    if app.builder.format != "latex":
        return
    exercises = app.env.sphinx_exercise_registry
    for reference in list(doctree.findall(addnodes.number_reference)):
        label = reference.get("refuri", "").rpartition("#")[2]
        if label in exercises:
            number = get_node_number(app, exercises[label]["node"], "exercise")
            text = app.config.numfig_format["exercise"] % number
            reference.replace_self(nodes.raw("", rf"\hyperref[exercise:{label}]{{{text}}}", format="latex"))


def unbox_proofs(app, doctree, docname) -> None:
    """Set proofs as text, without the box that has no title and takes the proof's beginning for one."""
    if app.builder.format == "latex":
        for proof in list(doctree.findall(proof_node)):
            (box,) = proof.children
            proof.replace_self(box.children)


# ------------------------------------------------------------------------------------------------------- staged sources


def prepare(pages) -> None:
    """Change staged pages for paper: chapters are counted from the first one, and tables of cells are LaTeX's.

    Parameters
    ----------
    pages : pathlib.Path
        Folder of the staged pages, which are written over.
    """
    start, measurements = pages / "index.md", pages / "measurements.md"
    title, text = start.read_text(encoding="utf-8").split("\n", 1)
    opening = OPENING.replace("%s", title.lstrip("# "))
    text = re.sub(r"^## (.+)$", r"```{rubric} \1\n```", text, flags=re.M)
    start.write_text(f"{title}\n\n{_raw(opening)}\n{text}", encoding="utf-8")
    text = measurements.read_text(encoding="utf-8")
    text = re.sub(r"^```\{dropdown\} (.+)\n((?:\|.*\n)+)```", lambda match: UNFOLDED % match.groups(), text, flags=re.M)
    measurements.write_text(text, encoding="utf-8")
    for chapter in pages.glob("*.ipynb"):
        notebook = nbformat.read(chapter, as_version=4)
        notebook.cells = [piece for cell in notebook.cells for piece in _with_tables(cell)]
        nbformat.write(notebook, chapter)


def _raw(text):
    return f"```{{raw}} latex\n{text}\n```\n"


def _with_tables(cell):
    """A cell, and its tables as cells of text after it, since a cell's own LaTeX would be taken for mathematics."""
    tables, outputs = [], []
    for output in cell.get("outputs", []):
        page = output.get("data", {}).get("text/html", "")
        (tables if 'class="dataframe"' in page else outputs).append(output)
    if tables:
        cell.outputs = outputs
    return [
        cell,
        *(nbformat.v4.new_markdown_cell(_raw(table(table_output.data["text/html"]))) for table_output in tables),
    ]


def table(page) -> str:
    """A table of pandas as one of LaTeX, which breaks between pages and whose columns fit into a line.

    Parameters
    ----------
    page : str
        HTML of a DataFrame.
    """
    page = page[page.index("<table") :].partition("</table>")
    head, body = map(_grid, ElementTree.fromstring(page[0] + page[1]))
    if len(head) > 1 and not any(above and below for above, below in zip(*head[-2:], strict=True)):
        head[-2:] = [[above or below for above, below in zip(*head[-2:], strict=True)]]  # the index's names
    if [row[0] for row in head + body] == [""] * len(head) + [str(i) for i in range(len(body))]:
        head, body = ([row[1:] for row in part] for part in (head, body))  # rows without names are not numbered
    lines = [_head(row) for row in head[:-1]] + [_line(head[-1])]
    together = len(head) + min(len(body), FEW) + 4
    return TABLE % (together, _columns([head[-1], *body]), "\n".join(lines), "\n".join(map(_line, body)))


def _grid(part):
    """Texts of a part of a table, as many in each row; a cell over several columns is repeated, of several rows not."""
    rows, below = [], {}
    for line in part:
        row, cells = [], iter(line)
        while below.get(len(row)) or (cell := next(cells, None)) is not None:
            if below.get(len(row)):
                below[len(row)] -= 1
                row.append("")
                continue
            for _ in range(int(cell.get("colspan", 1))):
                below[len(row)] = int(cell.get("rowspan", 1)) - 1
                row.append(" ".join("".join(cell.itertext()).split()))
        rows.append(row)
    return rows


def _columns(rows):
    """What LaTeX calls the columns: as wide as they are, but for those that must share what the others leave."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    left = LINE - GAP * (len(columns) - 1)
    kinds = ["r" if all(map(NOT_WORDS.fullmatch, column[1:])) else "l" for column in columns]
    for rank, i in enumerate(sorted(range(len(columns)), key=widths.__getitem__)):
        share = left / (len(columns) - rank)
        if widths[i] > share:
            kinds[i] = WRAPPED % (share / LINE)
        left -= min(widths[i], share)
    return "".join(kinds)


def _head(row):
    """A row of a table's head above the last one: equal neighbours are one cell, with a line below it."""
    cells, lines = [], []
    for name, group in groupby(enumerate(row), key=lambda pair: pair[1]):
        first, *_, last = 2 * [i + 1 for i, _ in group]
        cells.append(rf"\multicolumn{{{last - first + 1}}}{{l}}{{{_escaped(name)}}}")
        lines += [rf"\cmidrule(lr){{{first}-{last}}}"] if name and first < last else []
    return " & ".join(cells) + r" \\ " + "".join(lines)


def _line(row):
    return " & ".join(map(_escaped, row)) + r" \\"


def _escaped(text):
    return texescape.escape(text, "xelatex")
