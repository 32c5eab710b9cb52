import pytest

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.findings import attention as attention_results


def made(beyond, nearest, earliest=(-0.1, -0.2, 0.0)):
    """A record of one network, with nulls of known efficiency."""
    rows = [{"order": "nearest", "efficiency": [0.6, 0.5, 0.7], "rollout_above": nearest, "events": 9}]
    rows += [{"order": "earliest", "efficiency": [0.4, 0.3, 0.5], "rollout_above": earliest, "events": 9}]
    rows += [{"order": "D-optimal", "efficiency": [1, 1, 1], "rollout_above": [-0.5, -0.6, -0.4], "events": 9}]
    found = beyond and [{"measure": "rollout", "correlation": beyond, "events": 8}]
    return {"networks": {"colombia": {"models": {"dynamic": {"beyond": found, "design": rows}}}}}


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [([0.2, 0.1, 0.3], "supported"), ([-0.2, -0.3, -0.1], "not supported"), ([0.0, -0.1, 0.1], "inconclusive")],
)
def test_the_rules(interval, verdict):
    emphasis, design = attention_results.verdicts(made(interval, interval))
    assert (emphasis["rule"], emphasis["verdict"], emphasis["events"]) == ("emphasis", verdict, 8)
    assert (design["rule"], design["verdict"], design["events"]) == ("design", verdict, 9)
    assert "(nearest)" in design["measured"]  # the best null decides, not the one that is easily beaten


def test_without_an_analyst_there_is_no_verdict_on_emphasis():
    (only,) = attention_results.verdicts(made(None, [0.2, 0.1, 0.3]))
    assert only["rule"] == "design"


def test_the_record_is_of_both_networks_and_quoted():
    content = attention_results.load()
    assert tuple(content["networks"]) == networks.NETWORKS
    texts = attention_results.quoted(content)
    for name in networks.NETWORKS:
        keys = ("events", "rollout-efficiency", "above-nearest", "rollout-removed-3", "noise-share", "contrast-gain")
        assert {f"{name}-{key}" for key in keys} <= set(texts)
    assert {"colombia-rollout-tau", "colombia-rollout-beyond", "colombia-rollout-shuffled"} <= set(texts)
    assert len(attention_results.verdicts(content)) == 3


def test_the_attention_of_another_model_is_refused(monkeypatch):
    monkeypatch.setitem(provenance.IDENTITIES, "model", lambda name: "another")
    with pytest.raises(
        UserError, match=r"attention\.json: stale: an input has changed: model:colombia-dynamic-random-0"
    ):
        attention_results.load()
