"""Captions of the chapters' verdicts, held against the verdicts."""

import pytest

from seisbook.catalogues.networks import NETWORKS
from seisbook.findings import claims
from seisbook.findings.fields import REGIONS
from tests.book.prose import says
from tests.judged import every

SUPPORTED, INCONCLUSIVE, AGAINST = claims.VERDICTS


def rows(name, *words, where=None, chapter=None):
    """Rows of a claim whose place and measure have these words, of some networks or of one chapter."""
    found = [claim for claim in every() if claim.id == name and all(word in _text(claim) for word in words)]
    found = [claim for claim in found if where is None or claim.network in where]
    return [claim for claim in found if chapter is None or claim.evidence["chapter"] == f"book/{chapter}"]


def _text(claim):
    return f"{claim.place}, {claim.signals}, {claim.measured}"


def verdicts(*args, **kwargs):
    found = [claim.verdict for claim in rows(*args, **kwargs)]
    assert found
    return found


def only(*args, **kwargs):
    """The one verdict that all of these rows share."""
    (verdict,) = set(verdicts(*args, **kwargs))
    return verdict


@pytest.mark.parametrize(
    ("chapter", "names"),
    [
        ("02_model", ("C1", "C2", "C4")),
        ("03_cv_variance", ("C1", "C3")),
        ("04_robustness", ("C5", "C6", "C7")),
        ("09_robust_model", ("C1", "C2", "C5", "C6", "C7")),
    ],
)
def test_the_signals_of_the_networks_are_rendered(chapter, names):
    says(chapter, "Signals are rendered from real readings.")
    shown = [claim for name in names for claim in rows(name, where=NETWORKS)]
    assert {claim.signals for claim in shown} == {"rendered"}


def test_model():
    says("02_model", "With all training events, locations are near those of experts on both networks.")
    assert only("C1", "folds", where=NETWORKS) == only("C1", "blocks of time", where=NETWORKS) == SUPPORTED
    says("02_model", "Magnitudes meet the level in Colombia and are inconclusive at Ridgecrest.")
    assert (only("C2", where=["colombia"]), only("C2", where=["ridgecrest"])) == (SUPPORTED, INCONCLUSIVE)
    says("02_model", "No interval shows that concatenation helps.")
    assert min(claim.ci_high for claim in rows("C4", where=NETWORKS)) >= 1


def test_variance():
    says("03_cv_variance", "One measurement of location reaches beyond the experts' line, with 400 events in Colombia.")
    (beyond,) = (one for one in rows("C1", where=NETWORKS) if one.ci_high > one.threshold)
    assert "Colombia" in _text(beyond)
    assert "400 training events" in beyond.measured
    says(
        "03_cv_variance",
        "Of the ratios of variances, one lies below one with its whole interval: "
        "the magnitude of the study recipe at Ridgecrest.",
    )
    (below,) = (one for one in rows("C3", where=NETWORKS) if one.ci_high < 1)
    assert _text(below) == "Ridgecrest, rendered, variance ratio of the magnitude, study recipe"


def test_robustness():
    chapter = "04_robustness"
    says(chapter, "the error of the paper's model grows far beyond the threshold on both networks.")
    assert min(one.ci_low / one.threshold for one in rows("C5", chapter=chapter)) > 2
    says(chapter, "Of shifts, only clock errors in Colombia stay below it.")
    (stable,) = (one for one in rows("C6", chapter=chapter) if one.verdict == SUPPORTED)
    assert "Colombia" in _text(stable)
    assert "clock errors" in stable.measured
    says(chapter, "Rare large events are inconclusive on both.")
    assert verdicts("C7", chapter=chapter) == [INCONCLUSIVE] * 2


def test_attention():
    says("05_attention", "Signals are rendered on the seismic networks, and measured in Greece and Italy.")
    assert {one.signals for one in rows("C8", where=NETWORKS)} == {"rendered"}
    assert {one.signals for one in rows("C8", where=REGIONS)} == {"measured"}
    assert len(rows("C8")) == len(rows("C8", where=NETWORKS)) + len(rows("C8", where=REGIONS))
    says("05_attention", "No measurement supports the claim.")
    assert SUPPORTED not in verdicts("C8")
    says("05_attention", "On the dense network of Ridgecrest all of them speak against it.")
    assert only("C8", "Ridgecrest") == AGAINST


def test_alignment():
    chapter = "06_text_alignment"
    says(chapter, "With texts in full, every difference lies above zero.")
    assert min(one.ci_low for one in rows("C9", "texts in full")) > 0
    says(chapter, "Without numbers and places, most differences of real events cannot be told from zero.")
    real = verdicts("C9", "real events", "without numbers and places")
    assert real.count(INCONCLUSIVE) > len(real) / 2
    says(chapter, "Errors are corrected with texts that have neither numbers nor places.")
    assert len(rows("C10")) == len(rows("C10", "texts without numbers and places"))
    says(chapter, "Most corrections change nothing that an interval shows.")
    assert verdicts("C10").count(INCONCLUSIVE) > len(rows("C10")) / 2
    says(chapter, "On the twins three make the error larger, and one makes it smaller.")
    twins = verdicts("C10", "the twin's events")
    assert (twins.count(AGAINST), twins.count(SUPPORTED)) == (3, 1)
    assert only("C10", "real events") == INCONCLUSIVE


def test_fields():
    says("08_fields", "None of the four claims is supported on measured fields.")
    assert SUPPORTED not in [one for name in ("C3", "C4", "C7", "C8") for one in verdicts(name, where=REGIONS)]
    says("08_fields", "All intervals lie below the threshold, which allows an error two per cent larger.")
    assert only("C0") == SUPPORTED
    assert {one.against for one in rows("C0")} == {"+2 %"}


def test_robust_model():
    chapter = "09_robust_model"
    names = "C1", "C2", "C5", "C6", "C7"
    says(chapter, "In Colombia every measurement supports its claim.")
    assert {only(name, "Colombia", chapter=chapter) for name in names} == {SUPPORTED}
    says(
        chapter,
        "At Ridgecrest locations do. Magnitudes are inconclusive there, and so is the robust model under narrow bands "
        "and clock errors.",
    )
    assert only("C1", "Ridgecrest", chapter=chapter) == SUPPORTED
    assert only("C2", "Ridgecrest", chapter=chapter) == only("C7", "Ridgecrest", chapter=chapter) == INCONCLUSIVE
    for name, axis in (("C5", "octave bands"), ("C6", "clock errors")):
        assert only(name, "Ridgecrest", axis, "robust model", chapter=chapter) == INCONCLUSIVE
