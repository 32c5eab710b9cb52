from seisbook.studies import robustness as robustness_study
from seisbook.studies import robustness_peers as robustness_peers_study
from seisbook.studies import runner


def test_peers_see_the_events_that_our_model_sees():
    trials = {one["axis"]: one for one in robustness_study.trials("ridgecrest", "simulated", "quick")}
    calm, band = robustness_peers_study.run([trials["none"], trials["band_pass"]])
    assert tuple(calm) == tuple(band) == robustness_peers_study.MODELS
    sizes = {len(one["epicentral_km"]) for one in (*calm.values(), *band.values())}
    assert sizes == {robustness_study.QUICK_EVENTS}
    assert all(calm[name] != band[name] for name in calm)
    assert runner.find("robustness-peers") is robustness_peers_study.STUDY
