import numpy as np
import pandas as pd
import pytest

from seisbook.errors import UserError
from seisbook.figures import graph_forms as figures
from seisbook.findings import graph_forms as findings
from seisbook.models.graph_forms import FORMS
from seisbook.studies import graph_forms as study

RNG = np.random.default_rng(0)
EVENTS = 80


def made(factors, network="colombia"):
    """Records in which each form's errors are those of the same events times a factor, with a little scatter."""
    base = RNG.lognormal(0, 0.5, EVENTS)
    return [
        {
            "trial": {"network": network, "form": form, "seed": seed, "axis": axis, "severity": severity},
            "result": {"epicentral_km": list(factors.get(form, 1.0) * base * RNG.lognormal(0, 0.1, EVENTS))},
        }
        for seed in range(2)
        for form in FORMS
        for axis, severity in study.CONDITIONS.items()
    ]


@pytest.fixture
def compared():
    return findings.compare(made({"learnt edges": 0.8, "nearest in residuals": 1.2}))


def test_controls_are_forms_of_the_study():
    named = {*findings.CONTROLS, *(control for controls in findings.CONTROLS.values() for control in controls)}
    assert named == set(FORMS)
    assert {findings.CLEAN, findings.CLOCKS} < set(study.CONDITIONS)


def test_ratios_and_verdicts_follow_the_rule(compared):
    said = findings.verdicts(compared)
    assert said["colombia", "learnt edges"] == "supported"
    assert said["colombia", "nearest in residuals"] == "not supported"
    assert said["colombia", "the paper's graph"] == "inconclusive"
    row = compared[(compared.form == "learnt edges") & (compared.condition == findings.ALL)].iloc[0]
    assert row.ratio.low < 0.8 < row.ratio.high
    assert len(compared) == 7 * len(findings.SHOWN)


def test_one_control_that_is_better_decides_against_a_form():
    said = findings.verdicts(findings.compare(made({"learnt edges": 0.8, "learnt edges, geography alone": 0.6})))
    assert said["colombia", "learnt edges"] == "not supported"


def test_tables_and_quotes_say_what_was_found(compared):
    shown = findings.table(compared)
    judged = shown["earns its place"].groupby(level=1).agg(set)
    assert judged["learnt edges"] == {"supported"}
    assert shown.shape == (7, 4)
    assert list(findings.verdicts(compared)).count("supported") == 1
    quotes = findings.quoted(compared)
    assert quotes["forms-colombia-learnt-edges-static-graph"].startswith("0.8")
    assert "forms-colombia-the-papers-graph-no-edges-clocks" in quotes
    found = findings.medians(made({}))
    assert len(found) == len(FORMS) * len(study.CONDITIONS)
    assert findings.medians_table(found).shape == (len(FORMS), len(study.CONDITIONS))


def test_the_figure_has_a_column_a_network(compared):
    both = [compared, compared.assign(network="ridgecrest")]
    fig = figures.ratios(pd.concat(both))
    assert [axis.get_title("left") for axis in fig.axes] == ["Colombia", "Ridgecrest"]
    assert all(len(axis.get_yticklabels()) == 7 for axis in fig.axes)
    with pytest.raises(UserError):
        figures.ratios(compared[:0])
