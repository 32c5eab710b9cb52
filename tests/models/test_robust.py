from dataclasses import replace

import numpy as np
import pytest
import torch

from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.models import gauss_newton, robust
from seisbook.models.robust import Onsets, RobustConfig, RobustModel
from seisbook.models.robust_training import RobustLocator, RobustTraining, onset_loss
from seisbook.physics.timetable import Timetable
from seisbook.physics.traveltimes import TravelTimes

CONFIG = RobustConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=2)
SHORT = RobustTraining(stem_epochs=3, graph_epochs=2, events=8, copies=1)


@pytest.fixture(scope="module")
def ridgecrest():
    return networks.load("ridgecrest")


@pytest.fixture(scope="module")
def fitted(events, ridgecrest):
    return RobustLocator(ridgecrest, CONFIG, SHORT).fit(events, progress=False)


def perfect_onsets(events, timetable, mask, spread_s=0.01):
    """Onsets that follow from the labels, as if a stem had found them."""
    batch = events.batch(np.arange(len(events)))
    offset = batch.pos[..., :2] - batch.y[:, None, :2]
    p = timetable.p(offset.norm(dim=-1), batch.y[:, None, 2].expand(mask.shape), batch.pos[..., 2])
    onset = torch.stack([p, p * timetable.vp_vs], -1) + 3.0
    shape = (*mask.shape, 2)
    state = torch.zeros(*mask.shape, 6, CONFIG.channels)
    zeros = torch.zeros(shape)
    return Onsets(state, onset, zeros + spread_s, zeros - 0.01, zeros, batch.amplitude), batch


# ----------------------------------------------------------------------------------------------------------- timetable


def test_the_timetable_is_the_table(ridgecrest):
    table, timetable = TravelTimes(ridgecrest.velocity_model), Timetable(ridgecrest.velocity_model, 30)
    rng = np.random.default_rng(0)
    r, z, h = (
        rng.uniform(0, timetable.farthest_km, 2000),
        rng.uniform(-1, timetable.deepest_km, 2000),
        rng.uniform(0, 3, 2000),
    )
    found = timetable.p(*(torch.tensor(value, dtype=torch.float32) for value in (r, z, h))).numpy()
    error = np.abs(found - table.p(r, z, 1000 * h))
    assert np.percentile(error, 99) < 0.005
    assert error.max() < 0.03


def test_slopes_are_those_of_the_times(ridgecrest):
    timetable = Timetable(ridgecrest.velocity_model, 30)
    r, z, h = torch.tensor([5.0, 20.0, 60.0]), torch.tensor([8.0, 4.0, 12.0]), torch.tensor([0.5, 1.0, 0.0])
    time, along, down = timetable.slopes(r, z, h)
    torch.testing.assert_close(time, timetable.p(r, z, h))
    d = 0.2
    torch.testing.assert_close(
        along, (timetable.p(r + d, z, h) - timetable.p(r - d, z, h)) / (2 * d), atol=0.02, rtol=0.1
    )
    torch.testing.assert_close(
        down, (timetable.p(r, z + d, h) - timetable.p(r, z - d, h)) / (2 * d), atol=0.02, rtol=0.1
    )


# ------------------------------------------------------------------------------------------------------------ location


def test_perfect_onsets_give_the_label_before_any_training(events, ridgecrest):
    """An untrained model is a robust locator: its blocks say nothing yet."""
    model = RobustModel(CONFIG, ridgecrest).eval()
    mask = events.batch(np.arange(len(events))).mask
    onsets, batch = perfect_onsets(events, model.graph.timetable, mask)
    with torch.no_grad():
        found = model.locate(onsets, batch.pos, mask)
    error = (found.epicentre - batch.y[:, :2]).norm(dim=-1)
    assert error.median() < 0.2
    assert (found.depth - batch.y[:, 2]).abs().median() < 1.0


def test_one_absurd_onset_is_not_heard(events, ridgecrest):
    model = RobustModel(CONFIG, ridgecrest).eval()
    mask = events.batch(np.arange(len(events))).mask
    many = mask.sum(1) >= 6
    onsets, batch = perfect_onsets(events, model.graph.timetable, mask)
    late = onsets.onset_s.clone()
    late[:, 2] += torch.tensor([9.0, -7.0])
    with torch.no_grad():
        found = model.locate(onsets._replace(onset_s=late), batch.pos, mask)
    assert (found.epicentre - batch.y[:, :2]).norm(dim=-1)[many].median() < 0.5


def test_moving_the_network_moves_the_answer(fitted, events):
    model = fitted.model_
    batch = events.batch(np.arange(8))
    with torch.no_grad():
        found, _, _ = model.read(batch.traces.float(), batch.amplitude[batch.mask])
        onsets = robust.dense(found, batch.mask)
        stations = model.graph.stations
        places = stations.places
        here = model.locate(onsets, batch.pos, batch.mask)
        stations.places = places + torch.tensor([40.0, -30.0])
        there = model.locate(onsets, batch.pos + torch.tensor([40.0, -30.0, 0.0]), batch.mask)
        stations.places = places
    torch.testing.assert_close(
        there.epicentre - here.epicentre, torch.tensor([40.0, -30.0]).expand(8, 2), atol=0.02, rtol=0
    )
    torch.testing.assert_close(there.magnitude, here.magnitude, atol=1e-3, rtol=0)


def test_the_order_of_stations_does_not_matter(fitted, events):
    batch = events.batch(np.arange(6))
    n = batch.mask.shape[1]
    order = torch.randperm(n, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found, _, _ = fitted.model_.read(batch.traces.float(), batch.amplitude[batch.mask])
        onsets = robust.dense(found, batch.mask)
        here = fitted.model_.locate(onsets, batch.pos, batch.mask)
        turned = Onsets(*(value[:, order] for value in onsets))
        there = fitted.model_.locate(turned, batch.pos[:, order], batch.mask[:, order])
    torch.testing.assert_close(there.epicentre, here.epicentre, atol=0.02, rtol=1e-3)


def test_a_silent_station_is_left_out(fitted, events):
    batch = events.batch(np.flatnonzero(np.diff(events.start) >= 6)[:4])
    with torch.no_grad():
        found, _, _ = fitted.model_.read(batch.traces.float(), batch.amplitude[batch.mask])
        onsets = robust.dense(found, batch.mask)
        amplitude = onsets.amplitude.clone()
        amplitude[:, 1] = -37.9
        silent = fitted.model_.locate(onsets._replace(amplitude=amplitude), batch.pos, batch.mask)
        mask = batch.mask.clone()
        mask[:, 1] = False
        missing = fitted.model_.locate(onsets, batch.pos, mask)
    torch.testing.assert_close(silent.epicentre, missing.epicentre)
    torch.testing.assert_close(silent.magnitude, missing.magnitude)


def test_student_weights_redescend():
    residual, sigma = torch.tensor([0.0, 1.0, 10.0]), torch.ones(3)
    weight = gauss_newton.student_weight(residual, sigma)
    influence = weight * residual
    assert weight[0] > weight[1] > weight[2]
    assert influence[2] < influence[1]


def test_the_weighted_median_is_the_median():
    values = torch.randn(5, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(gauss_newton.weighted_median(values, torch.ones(5, 9)), values.median(-1).values)
    weight = torch.zeros(5, 9)
    weight[:, 3] = 1.0
    torch.testing.assert_close(gauss_newton.weighted_median(values, weight), values[:, 3])


# ---------------------------------------------------------------------------------------------------------------- stem


def test_a_spike_goes_and_an_onset_stays():
    time = torch.arange(400) / 50.0
    wave = torch.where(time >= 4, torch.sin(2 * torch.pi * 6 * time), 0.0) + 0.01 * torch.sin(2 * torch.pi * 3 * time)
    torch.testing.assert_close(robust.despiked(wave[None, None])[0, 0], wave)
    struck = wave.clone()
    struck[100] += 40
    assert (robust.despiked(struck[None, None])[0, 0] - wave).abs().max() < 0.1


def test_onsets_have_their_place_spread_and_probability():
    logits = torch.full((1, 2, 100), -20.0)
    logits[0, 0, 40] = 5.0
    logits[0, 1, 58:63] = torch.tensor([0.0, 1.0, 1.5, 1.0, 0.0])
    onset, spread, log_probability, absent = robust.onsets_of(logits, torch.tensor([[-30.0, 1.5]]), 0.08)
    assert onset[0].tolist() == pytest.approx([40 * 0.08, 60 * 0.08], abs=1e-3)
    assert spread[0, 0] == pytest.approx(0.08 / 12**0.5, rel=1e-3)
    assert spread[0, 1] > spread[0, 0]
    assert log_probability[0, 0] == pytest.approx(0, abs=1e-4)
    assert absent[0, 1] == pytest.approx(1 - log_probability[0, 1].exp().item(), abs=1e-4)


def test_the_onset_loss_asks_for_what_is_there():
    logits = torch.zeros(3, 2, 50, requires_grad=True)
    none = torch.zeros(3, 2, requires_grad=True)
    onset = torch.tensor([[1.0, 2.0], [torch.nan, torch.nan], [torch.nan, 1.5]])
    absent = torch.tensor([[False, False], [True, False], [False, False]])
    onset_loss(logits, none, onset, absent, 0.1).backward()
    assert none.grad[1, 0] < 0  # more of absence
    assert none.grad[0, 0] > 0  # less of it
    assert logits.grad[1, 1].abs().sum() == 0  # unknown
    assert logits.grad[0, 0].argmin() == 10


# ------------------------------------------------------------------------------------------------------------ training


def test_training_lowers_both_losses(fitted):
    for part in ("stem", "graph"):
        losses = [entry["loss"] for entry in fitted.history_ if entry["part"] == part]
        assert losses[-1] < losses[0]


def test_same_seed_same_model(events, fitted, ridgecrest):
    again = RobustLocator(ridgecrest, CONFIG, SHORT).fit(events, progress=False)
    assert again.history_ == fitted.history_
    other = RobustLocator(ridgecrest, CONFIG, SHORT, random_state=1).fit(events, progress=False)
    assert other.history_ != fitted.history_


def test_predictions_keep_the_order_of_events(events, fitted):
    whole = fitted.predict(events)
    part = fitted.predict(events.select([40, 3, 21]))
    torch.testing.assert_close(part.epicentre, whole.epicentre[[40, 3, 21]], atol=0.05, rtol=1e-3)
    assert torch.isfinite(torch.linalg.cholesky(whole.epicentre_tril @ whole.epicentre_tril.mT)).all()


@pytest.mark.parametrize(
    "changes",
    [{"physics": False}, {"mixing": "attention"}, {"physics": False, "mixing": "attention"}, {"graph": "none"}],
)
def test_the_switches(events, fitted, ridgecrest, changes):
    config = replace(CONFIG, **changes)
    training = replace(SHORT, stem_epochs=0, graph_epochs=1)
    other = RobustLocator(ridgecrest, config, training, start_from=fitted.model_).fit(events, progress=False)
    assert all(
        torch.equal(mine, theirs)
        for mine, theirs in zip(other.model_.stem.parameters(), fitted.model_.stem.parameters(), strict=True)
    )
    found = other.predict(events)
    assert torch.isfinite(found.epicentre).all()
    assert found.estimates.shape == (len(events), CONFIG.blocks, 3)


def test_too_few_events_are_refused(events, ridgecrest):
    with pytest.raises(UserError, match="too few to train on"):
        RobustLocator(ridgecrest, CONFIG, SHORT).fit(events.select(np.arange(10)), progress=False)
