import json

import numpy as np
import pytest

from seisbook.catalogues import sources
from seisbook.errors import UserError
from seisbook.models import eqtransformer
from seisbook.studies import iceland, real_eqtransformer


def test_picks_become_locations(monkeypatch):
    if not sources.is_available("iceland"):
        pytest.skip("the Icelandic seismograms are not on this machine")
    try:
        eqtransformer.fetch()
    except UserError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(iceland, "TWIN_EVENTS", 40)
    trials = real_eqtransformer.trials("iceland", "waveform", "paper")
    low, high = real_eqtransformer.run(trials)
    assert len(low["epicentral_km"]) == len(high["depth_km"]) == 27
    for wave in "ps":
        found = [sum(value is not None for value in result[f"{wave}_off_s"]) for result in (low, high)]
        assert found[0] > found[1] > 0
        assert len(low[f"{wave}_off_s"]) == len(high[f"{wave}_off_s"])
        near = [value for value in low[f"{wave}_off_s"] if value is not None]
        assert np.median(np.abs(near)) < 0.5
    assert json.loads(json.dumps([low, high], allow_nan=False)) == [low, high]


def test_one_group_shares_the_probabilities():
    trials = real_eqtransformer.trials("iceland", "waveform", "paper")
    assert {real_eqtransformer.group(trial) for trial in trials} == {"iceland"}
    assert real_eqtransformer.config(trials[0])["weights"] == eqtransformer.SHA256
