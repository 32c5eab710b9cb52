"""The study of sensors that lie, with graphs, on a simulated twin."""

from seisbook.studies import fields_trouble, fields_trouble_graphs, runner

TWIN = ("italy", "simulated", "quick")


def test_the_study_is_known_and_describes_its_trials():
    assert runner.find("fields-trouble-graphs") is fields_trouble_graphs.STUDY
    trials = fields_trouble_graphs.trials("italy", "measured", "paper")
    assert len(trials) == len(fields_trouble_graphs.GRAPHS) * 5
    assert fields_trouble_graphs.config(trials[0])["model"].informed


def test_the_events_are_those_of_the_study_without_graphs():
    trial = fields_trouble_graphs.trials(*TWIN)[0]
    (found,) = fields_trouble_graphs.run([trial])
    (others,) = fields_trouble.run(fields_trouble.trials(*TWIN)[:1])
    assert set(found) == {"dynamic"}
    assert list(found["dynamic"]) == list(fields_trouble.KINDS)
    for kind, scores in found["dynamic"].items():
        assert scores["count"] == others["conditional normal"][kind]["count"]
    assert found["dynamic"]["unit"]["square"] != found["dynamic"]["clean"]["square"]
