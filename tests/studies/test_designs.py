import pytest

from seisbook import provenance
from seisbook.studies import runner

ELSEWHERE = {"real-outside": ("mexico", "waveform")}
"""Studies of other networks than those of the book."""


@pytest.mark.parametrize("profile", ["quick", "paper"])
@pytest.mark.parametrize(("network", "source"), [("colombia", "bulletin"), ("ridgecrest", "simulated")])
@pytest.mark.parametrize("name", runner.STUDIES)
def test_every_trial_has_a_key_of_its_own(name, network, source, profile):
    study = runner.find(name)
    network, source = ELSEWHERE.get(name, (network, source))
    trials = study.trials(network, source, profile)
    keys = {provenance.digest(runner.trial_key(study, trial)) for trial in trials}
    assert len(keys) == len(trials) > 0
