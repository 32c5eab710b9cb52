import numpy as np

from seisbook.studies import augmentation as augmentation_study


def test_all_arms_take_the_same_number_of_steps(bench):
    sets = {
        arm: augmentation_study._augmented("ridgecrest", "simulated", "quick", arm)
        for arm in ("as they are", "band_pass", "joint_shift", "all")
    }
    sizes = {len(one) for one in sets.values()}
    assert sizes == {2 * augmentation_study.N_TRAIN["quick"]}
    half = augmentation_study.N_TRAIN["quick"]
    plain = sets["as they are"]
    for arm, one in sets.items():
        first, again = one.select(np.arange(half)), one.select(np.arange(half, 2 * half))
        np.testing.assert_array_equal(first.x, plain.select(np.arange(half)).x)
        assert sorted(first.source_id) == sorted(again.source_id)
        same = [
            np.array_equal(again.select([i]).x, plain.select([list(plain.source_id).index(name)]).x)
            for i, name in enumerate(again.source_id)
        ]
        assert np.mean(same) == (1.0 if arm == "as they are" else 0.0)


def test_trials_are_trained_and_tested(bench):
    trials = augmentation_study.trials("ridgecrest", "simulated", "quick")
    plain, *others = augmentation_study.run(trials)
    assert [one["axis"] for one in plain["tests"]] == ["none", "band_pass", "joint_shift"]
    assert {len(one["epicentral_km"]) for one in plain["tests"]} == {12}
    assert all(one["tests"] != plain["tests"] for one in others)
