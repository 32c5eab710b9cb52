import numpy as np
import pytest

from seisbook.figures import robustness as robustness_figures
from seisbook.findings import augmentation
from seisbook.studies import augmentation as augmentation_study

CALM = np.random.default_rng(0).uniform(1, 3, 150)


@pytest.fixture
def records():
    """Perturbations multiply the error by 2, 3, 4, ...; a matching augmentation takes half, at a tenth of a price."""
    found = []
    for trial in augmentation_study.trials("colombia", "bulletin", "paper"):
        arm, tests = trial["arm"], []
        for axis, severities in {"none": (None,), **augmentation_study.SEVERITIES["paper"]}.items():
            for i, severity in enumerate(severities):
                size = CALM * (1.0 if axis == "none" else i + 2)
                size = size * (0.5 if arm in (axis, "all") else 1.0 if arm == "as they are" else 1.1)
                tests.append({"axis": axis, "severity": severity, "epicentral_km": size.tolist()})
        found.append({"trial": trial, "result": {"tests": tests}, "commit": "abc"})
    return found


def test_the_table_finds_what_was_put_in(records):
    table = augmentation.tabulate(records).set_index(["axis", "severity", "arm"])
    row = table.loc["joint_shift", 8.0, "joint_shift"]
    assert row.ratio.value == pytest.approx(0.5)
    assert row.worst
    assert row.matching
    assert not table.loc["joint_shift", 4.0, "joint_shift"].worst
    assert not table.loc["joint_shift", 8.0, "band_pass"].matching
    assert table.loc["joint_shift", 8.0, "band_pass"].ratio.value == pytest.approx(1.1)


def test_rules(records):
    table = augmentation.verdicts(records)
    assert len(table) == 2 * len(augmentation_study.SEVERITIES["paper"])
    assert set(table.helps) == {"supported"}
    assert set(table[table.arm == "all"].costs) == {"no"}
    assert set(table[table.arm != "all"].costs) == {"yes"}  # 1.1 on the unperturbed events, for every event
    for one in records[1:]:
        one["result"] = records[0]["result"]
    assert set(augmentation.verdicts(records).helps) == {"inconclusive"}
    assert set(augmentation.verdicts(records).costs) == {"no"}


def test_prose_quotes_the_verdicts(records):
    texts = augmentation.quoted({"colombia": records})
    assert texts["colombia-band_pass-matching"] == "0.50 [0.50, 0.50]"
    assert texts["colombia-calm-band_pass"] == "1.10 [1.10, 1.10]"


def test_the_figure_has_a_panel_an_axis(records):
    figure = robustness_figures.augmentation(augmentation.tabulate(records))
    assert len(figure.axes) == len(augmentation_study.SEVERITIES["paper"])
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["none", "0.5", "1", "2", "4"]
