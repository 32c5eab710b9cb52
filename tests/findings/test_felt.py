"""What the study of felt reports says, from made-up records whose answer is known."""

import numpy as np
import pytest

from seisbook.figures import felt as figures
from seisbook.findings import felt
from seisbook.physics.felt_intensity import WORDEN
from seisbook.studies import felt as study


def records(factor, shuffled=1.0, scatter=0.0, events=40):
    """Two folds in which reports, converted by either equation, multiply all errors by a factor."""
    return [
        {"trial": {"fold": fold}, "result": result(np.random.default_rng(fold), factor, shuffled, scatter, events)}
        for fold in range(2)
    ]


def result(rng, factor, shuffled, scatter, events):
    factors = {"none": 1.0, "published": factor, "refitted": factor, "shuffled": shuffled, "expected": 1.0}
    scores = {}
    for told in study.TOLD:
        kinds = ("magnitude", "epicentral_km") if told == "no source" else ("event_term",)
        for stations in study.STATIONS:
            square, error = rng.exponential(1, events), {kind: rng.normal(0, 1, events) for kind in kinds}
            error = {kind: np.abs(values) if kind == "epicentral_km" else values for kind, values in error.items()}
            scores.setdefault(told, {})[stations] = {
                arm: {
                    "square": list(square * one**2 * np.exp(scatter * rng.normal(size=events))),
                    "count": [10.0] * events,
                    **{kind: list(one * values) for kind, values in error.items()},
                }
                for arm, one in factors.items()
            }
    velocity = rng.normal(-1, 0.5, 60)
    intensity = WORDEN.intensity(velocity) + 1 + 0.2 * rng.normal(size=60)
    pairs = {"event": [i // 3 for i in range(60)], "velocity": list(velocity), "intensity": list(intensity)}
    return {
        "scores": scores,
        "pairs": {**pairs, "sd": [0.2] * 60, "answers": [5.0] * 60},
        "equation": {"intercept": 4.78, "slope": 1.47, "intensity_sd": 0.2, "velocity_sd": 0.2, "shared_sd": 0.0},
        "cells": [4] * events,
        "answers": [30] * events,
    }


def test_ratios_are_those_that_were_made():
    found = felt.table(records(0.8))
    assert found.ratio[:, :, "refitted"].to_numpy() == pytest.approx(0.8)
    assert found.ratio[:, :, "none"].to_numpy() == pytest.approx(1.0)
    assert set(found.events) == {80}
    biases = felt.sources(records(0.8))
    assert biases.ratio[:, :, :, "published"].to_numpy() == pytest.approx(0.8)
    assert set(biases.index.unique("error")) == set(felt.ERRORS)


@pytest.mark.parametrize(
    ("factor", "shuffled", "scatter", "published", "refitted"),
    [
        (0.8, 1.0, 0, "supported", "supported"),
        (1.2, 1.0, 0, "not supported", "not supported"),
        (0.8, 0.7, 0, "supported", "not supported"),  # a control does better
        (1.0, 1.0, 0.5, "inconclusive", "inconclusive"),
    ],
)
def test_the_verdict_follows_the_rule(factor, shuffled, scatter, published, refitted):
    found = felt.table(records(factor, shuffled, scatter)).xs(("source", "1"), level=("told", "stations"))
    assert (found.verdict["published"], found.verdict["refitted"]) == (published, refitted)
    assert found.verdict["none"] == found.verdict["shuffled"] == ""


def test_the_bias_of_equations_is_that_of_the_pairs():
    found = felt.equations(records(0.8))
    assert found.bias["published"] == pytest.approx(1.0, abs=0.1)
    assert found.scatter["published"] == pytest.approx(0.2, abs=0.05)
    assert found.verdict["published"] == "biased"
    assert tuple(found.loc["refitted", ["pairs", "events"]]) == (120, 40)


def test_what_is_printed_and_quoted():
    made = {"greece": records(0.8), "italy": records(1.2)}
    quoted = felt.quoted(made)
    assert quoted["felt-answers"] == "2,400 in Greece and 2,400 in Italy"
    assert quoted["felt-source-1-refitted-ratio"].startswith("0.80 [")
    assert quoted["felt-source-1-refitted-verdict"] == "supported in Greece and not supported in Italy"
    assert quoted["felt-source-0-published-magnitude"] == ""
    assert quoted["felt-no-source-0-published-magnitude"].startswith("0.80 [")
    assert [felt.equations(one).verdict["published"] for one in made.values()] == ["biased", "biased"]
    printed = felt.in_words({"Greece": felt.table(made["greece"])})
    assert len(printed) == len(study.TOLD) * len(study.STATIONS)
    assert "refitted: supported" in printed["reports improve the field"].iloc[0]


def test_the_figures_show_each_arm_of_each_region():
    made = {"Greece": records(0.8), "Italy": records(0.9)}
    shown = figures.improvement({title: felt.table(one) for title, one in made.items()})
    assert len(shown.axes) == 2 * len(study.TOLD)
    points = [line.get_xdata()[0] for line in shown.axes[0].lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert points == pytest.approx([0.8] * len(study.STATIONS))
    biases = figures.bias({title: felt.sources(one) for title, one in made.items()})
    assert len(biases.axes) == 2 * 4
    pairs = {title: felt.pairs(one) for title, one in made.items()}
    drawn = figures.instruments(pairs, {title: felt.refitted(one[0]) for title, one in made.items()})
    assert [len(axis.collections[0].get_offsets()) for axis in drawn.axes] == [120, 120]
