import numpy as np

from seisbook.studies import ablations as ablations_study

WHERE = ("ridgecrest", "simulated", "quick")


def test_an_ablation_changes_what_it_says(bench):
    (study,) = ablations_study.run([{**_ablation("study recipe")}])
    (wide,) = ablations_study.run([{**_ablation("one block")}])
    assert wide["parameters"] < study["parameters"]
    (whole,) = ablations_study.run([_ablation("no station dropout")])
    assert np.isfinite(whole["summary"]["epicentral_km"]["median"])


def test_events_rendered_twice_are_the_same_events(bench, events):
    some = events.select(np.arange(5))
    twice = ablations_study._rendered_again(*WHERE, some)
    assert twice.source_id.tolist() == 2 * some.source_id.tolist()
    first, second = twice.select(np.arange(5)), twice.select(np.arange(5, 10))
    assert (first.x == some.x).all()
    assert (second.pos == some.pos).all()
    assert (second.start == some.start).all()
    assert (second.y == some.y).all()


def _ablation(arm):
    return {"network": "ridgecrest", "source": "simulated", "profile": "quick", "arm": arm, "fold": 0}
