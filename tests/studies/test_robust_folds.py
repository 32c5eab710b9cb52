from seisbook.studies import robust, robust_folds, runner


def test_trials_are_those_of_the_first_fold_on_the_other_folds():
    for network in ("colombia", "ridgecrest"):
        trials = robust_folds.trials(network, "bulletin", "paper")
        first = [{**trial, "fold": 0} for trial in trials]
        of_the_first_fold = robust.trials(network, "bulletin", "paper")
        assert all(trial in of_the_first_fold for trial in first)
        assert {trial["fold"] for trial in trials} == {1, 2, 3, 4}
        assert len({robust.group(trial) for trial in trials}) == 4
        assert len(trials) == 4 * (1 + len(robust_folds.CONDITIONS))


def test_the_study_trains_and_tests_as_the_first_one_does():
    study, other = runner.find("robust-folds"), runner.find("robust")
    assert (study.run, study.config, study.group) == (other.run, other.config, other.group)
    assert study.name != other.name
