"""The table of targets: its words follow from the numbers, and nothing that was aimed at is left out."""

import pandas as pd
import pytest

from seisbook.findings import fields_targets
from seisbook.findings.fields import TOLD
from seisbook.measures.estimates import Estimate


def region(ratio, covered=0.9, crps=0.1):
    """Errors of one region: the conditional normal has a CRPS of 0.2, attention of 0.3."""
    rows = {}
    for told in TOLD:
        rows[told, "conditional normal"] = {"ratio": 1.0, "low": 1.0, "high": 1.0, "covered": 0.9, "crps": 0.2}
        rows[told, "attention"] = {"ratio": 1.2, "low": 1.1, "high": 1.3, "covered": 0.9, "crps": 0.3}
        rows[told, "static"] = {"ratio": 0.9, "low": 0.9, "high": 0.9, "covered": 0.9, "crps": 0.01}
        low, high = ratio - 0.01, ratio + 0.01
        rows[told, "dynamic"] = {"ratio": ratio, "low": low, "high": high, "covered": covered, "crps": crps}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["information", "method"])


def words(found, part):
    return [cell.split(", ")[-1] for (what, _), cell in found.items() if part in what]


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.9, ["reached"] * 2), (0.965, ["open", "missed"]), (1.0, ["missed"] * 2)]
)
def test_a_ratio_is_held_against_its_own_limit(ratio, expected):
    assert words(fields_targets.of_reconstruction(region(ratio)), "error over") == expected


@pytest.mark.parametrize(("covered", "crps", "expected"), [(0.9, 0.1, "reached"), (0.85, 0.25, "missed")])
def test_intervals_and_scores_are_held_against_theirs(covered, crps, expected):
    found = fields_targets.of_reconstruction(region(1.0, covered, crps))
    assert words(found, "90 % interval") == [expected] * len(TOLD)
    assert words(found, "CRPS") == [expected] * len(TOLD)  # our own other graphs are not peers


def test_every_target_has_a_row_and_a_region_without_one_an_empty_cell():
    inverted = pd.DataFrame({name: {"dynamic": value} for name, value in (("epicentral_km", 14.0), ("magnitude", 0.2))})
    for name, word in (("epicentral_km", "missed"), ("magnitude", "reached")):
        inverted[[f"{name}_low", f"{name}_high", f"{name}_target"]] = [0.1, 15.0, word]
    kinds = fields_targets.KINDS
    lying = pd.DataFrame({"ratio": {("dynamic", kind): Estimate(0.7, 0.6, 0.75) for kind in kinds}})
    lying.index = pd.MultiIndex.from_tuples(lying.index)
    tables = {"greece": region(1.0), "italy": region(0.9)}
    found = fields_targets.table(tables, {"greece": inverted, "italy": inverted}, lying)
    assert len(found) == 2 + 2 * len(TOLD) + 2 + len(kinds) - 1
    assert found.Greece["epicentre, median (km)", "12"].endswith("missed")
    assert found.Italy["epicentre, median (km)", "12"] == ""
    assert (found[found.Greece == ""].Italy.str.endswith("reached")).all()
