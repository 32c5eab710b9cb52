import json
import pkgutil
import subprocess
import sys

import pandas as pd
import pytest

from seisbook import findings
from seisbook.findings import quotations
from seisbook.measures.estimates import Estimate

HEAVY = ("torch", "sklearn", "obspy", "skfmm", "seisbench", "cartopy", "matplotlib")
MODULES = [f"seisbook.findings.{module.name}" for module in pkgutil.iter_modules(findings.__path__)]


@pytest.mark.parametrize(
    ("value", "spec", "expected"),
    [
        (1234, ",", "1,234"),
        (0.126, ".2f", "0.13"),
        (Estimate(1.0, 0.5, 2.0), ".1f", "1.0 [0.5, 2.0]"),
        ([1.0, 0.5, 2.0], ".1f", "1.0 [0.5, 2.0]"),
        ({"value": 1.0, "low": 0.5, "high": 2.0, "verdict": "supported"}, ".0f", "1 [0, 2]"),
        (None, ".2f", ""),
        ("SeismicGNN", "", "SeismicGNN"),
    ],
)
def test_results_as_text(value, spec, expected):
    assert quotations.text(value, spec) == expected


def test_what_is_quoted_is_named_by_its_parts():
    @quotations.quoting
    def quoted(events):
        yield ("colombia", "narrow bands", None, "", 3), [1.0, 0.5, 2.0]
        yield ("colombia", "events"), events, ","

    assert quoted(2000) == {"colombia-narrow-bands-3": "1.00 [0.50, 2.00]", "colombia-events": "2,000"}


def test_tables_are_printed_cell_by_cell():
    interval = Estimate(1.0, 0.5, 2.0)
    table = quotations.printed({"ours": {"events": 27, "error": (interval, ".1f")}, "theirs": {"error": (None,)}})
    assert table.loc["ours"].tolist() == [27, "1.0 [0.5, 2.0]"]
    assert table.loc["theirs", "error"] == ""


def test_names_of_the_code_become_words_everywhere_in_a_table():
    rows = pd.MultiIndex.from_tuples([("colombia", "joint_shift")], names=["network", "site_term"])
    table = pd.DataFrame({"arm": ["band_pass"], "error_ratio": [1.5]}, index=rows)
    found = quotations.worded(table, arm="trained with")
    assert found.columns.tolist() == ["trained with", "ratio of errors"]
    assert found.index.names == ["network", "amplitude residual (log10)"]
    assert found.reset_index(drop=True).iloc[0].tolist() == ["octave band", 1.5]
    assert found.index.tolist() == [("Colombia", "shift of all stations")]
    assert table.columns[0] == "arm"


def test_findings_load_nothing_heavy():
    names = ", ".join(map(repr, MODULES))
    code = f"import importlib, json, sys; [importlib.import_module(name) for name in ({names})]; "
    code += f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(out) == []
