import numpy as np
import pytest

from seisbook.catalogues import networks, sources
from seisbook.datasets import build, side_by_side


@pytest.mark.skipif(not sources.is_available("iceland"), reason="the Icelandic seismograms are not on this machine")
def test_both_sections_show_the_same_event_at_the_same_stations():
    made, seen = side_by_side.sections("iceland", 22).values()
    assert made.codes == seen.codes
    assert (np.diff(seen.distance_km) >= 0).all()
    picked = np.isfinite(seen.onset_s)
    assert picked.sum() > 12
    assert np.allclose(made.onset_s[picked], seen.onset_s[picked], atol=0.05)
    catalogue = build.read(networks.load("iceland"), "waveform", None, 0)
    assert catalogue.events.source_magnitude.to_numpy(float)[22] == catalogue.events.source_magnitude.max()


def test_without_the_records_an_event_of_the_twin_is_shown(monkeypatch):
    monkeypatch.setattr(side_by_side.sources, "is_available", lambda network: False)
    shown = side_by_side.sections("iceland", 2)
    assert list(shown) == [side_by_side.SIMULATED]
    section = shown[side_by_side.SIMULATED]
    assert len(section.traces) == len(section.codes) == len(section.onset_s) >= 4
