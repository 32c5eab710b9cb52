"""Changes to the book's pages for print: LaTeX tables, headings, and references that LaTeX can resolve.

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

from seisbook.book import notebooks

LINE = 120  # letters in a line of a table, including the gaps between columns
GAP = 2  # letters between two columns
FEW = 12  # largest number of rows that are kept on one page
NOT_WORDS = re.compile(r"(nan|inf|[^A-Za-z])*")  # a column with such cells only is aligned to the right
NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")  # which no parser and no font takes
OPENING = r"""\chapter*{%s}
\addcontentsline{toc}{chapter}{%s}
\markboth{%s}{%s}"""  # heading of the start page; Sphinx uses that page's own title for the book
WRAPPED = r">{\raggedright\arraybackslash}p{%.3f\linewidth}"
UNFOLDED = rf"""```{{rubric}} %s
```
```{{tabularcolumns}} ll{WRAPPED % 0.26}llll
```
```{{table}}
:class: longtable

%s```"""  # table of a claim's measurements; in HTML it is folded away
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
    """Let references to exercises on other pages point to the labels that sphinx-exercise writes."""
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
    """Set proofs as text without a box: the box has no title and would use the beginning of the proof as one."""
    if app.builder.format == "latex":
        for proof in list(doctree.findall(proof_node)):
            (box,) = proof.children
            proof.replace_self(box.children)


# ------------------------------------------------------------------------------------------------------- staged sources


def prepare(pages) -> None:
    """Change staged pages for print: the start page is not numbered, and tables of cells become LaTeX tables.

    Parameters
    ----------
    pages : pathlib.Path
        Folder of the staged pages, which are overwritten.
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
        notebook = notebooks.read(chapter)
        notebook.cells = [piece for cell in notebook.cells for piece in _with_tables(cell)]
        notebooks.write(notebook, chapter)


def _raw(text):
    return f"```{{raw}} latex\n{text}\n```\n"


def _with_tables(cell):
    """A cell and its tables as text cells after it; LaTeX in the cell itself would be read as mathematics."""
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
    """LaTeX source of a pandas table; it can break between pages, and its columns fit into a line.

    Parameters
    ----------
    page : str
        HTML of a DataFrame.
    """
    page = NO_XML.sub("\N{REPLACEMENT CHARACTER}", page[page.index("<table") :]).partition("</table>")
    head, body = map(_grid, ElementTree.fromstring(page[0] + page[1]))
    if len(head) > 1 and not any(above and below for above, below in zip(*head[-2:], strict=True)):
        head[-2:] = [[above or below for above, below in zip(*head[-2:], strict=True)]]  # names of the index
    if [row[0] for row in head + body] == [""] * len(head) + [str(i) for i in range(len(body))]:
        head, body = ([row[1:] for row in part] for part in (head, body))  # a default index is left out
    lines = [_head(row) for row in head[:-1]] + [_line(head[-1])]
    together = len(head) + min(len(body), FEW) + 4
    return TABLE % (together, _columns([head[-1], *body]), "\n".join(lines), "\n".join(map(_line, body)))


def _grid(part):
    """Texts of a part of a table, with the same number in each row.

    The text of a cell over several columns is repeated in each of them. The text of a cell over several rows is not
    repeated.
    """
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
    """Column specification for LaTeX.

    Columns keep their width if they all fit into a line. If not, the wide columns share the space that the narrow ones
    leave.
    """
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
    """LaTeX of a row of a table's head above the last one; equal neighbours become one cell with a line below it."""
    cells, lines = [], []
    for name, group in groupby(enumerate(row), key=lambda pair: pair[1]):
        first, *_, last = 2 * [i + 1 for i, _ in group]
        cells.append(rf"\multicolumn{{{last - first + 1}}}{{l}}{{{_escaped(name)}}}")
        lines += [rf"\cmidrule(lr){{{first}-{last}}}"] if name and first < last else []
    return " & ".join(cells) + r" \\ " + "".join(lines)


def _line(row):
    return " & ".join(map(_escaped, row)) + r" \\"


def _escaped(text):
    """Text as it is written in LaTeX, where a star at the beginning of a row is a part of the line break before it."""
    return re.sub(r"^\*", "{*}", texescape.escape(text, "xelatex"))
