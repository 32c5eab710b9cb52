"""The study of the Gaussian process on a simulated twin."""

from seisbook.studies import fields, fields_gaussian, runner

TWIN = ("italy", "simulated", "quick")


def test_the_study_is_known_and_tells_its_trials_apart():
    assert runner.find("fields-gaussian") is fields_gaussian.STUDY
    trials = fields_gaussian.trials("italy", "measured", "paper")
    keys = {runner.provenance.digest(runner.trial_key(fields_gaussian.STUDY, trial)) for trial in trials}
    assert len(keys) == len(trials) == len(fields.INFORMATION) * 5


def test_hidden_values_are_those_of_the_fields_study():
    trial = fields_gaussian.trials(*TWIN)[0]
    (found,) = fields_gaussian.run([trial])
    (others,) = fields.run([{**trial, "arm": "reference"}])
    assert list(found) == [fields_gaussian.METHOD]
    for share, scores in found[fields_gaussian.METHOD].items():
        assert scores["count"] == others["conditional normal"][share]["count"]
    assert fields.summary(found)[fields_gaussian.METHOD] < fields.summary(others)["event term"]
