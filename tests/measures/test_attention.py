from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from seisbook.datasets.events import Events, NodeFeatures
from seisbook.errors import UserError
from seisbook.measures import attention
from seisbook.models import peers
from seisbook.models.graph import GraphModel, ModelConfig
from seisbook.models.training import Locator

CONFIG = ModelConfig(window_s=30, sampling_rate_hz=20, channels=16, blocks=3, neighbours=3)
SIZES = np.array([4, 9, 6, 12])


def built(random_state=0, **changes):
    torch.manual_seed(random_state)
    return GraphModel(replace(CONFIG, **changes)).eval()


@pytest.fixture(scope="module")
def model():
    return built()


@pytest.fixture(scope="module")
def seismograms():
    generator = torch.Generator().manual_seed(0)
    n = int(SIZES.sum())
    return Events(
        x=torch.randn(n, 3, 600, generator=generator).half(),
        pos=50 * torch.randn(n, 3, generator=generator),
        amplitude=torch.randn(n, generator=generator),
        onset_s=5 + 20 * torch.rand(n, 2, generator=generator),
        start=np.cumsum([0, *SIZES]),
        y=torch.tensor([[0.0, 0, 5, 4], [3, 4, 9, 2], [1, 1, 9, 3], [9, 9, 9, float("nan")]]),
        source_id=np.array(list("abcd")),
        origin_time=np.arange(4).astype("datetime64[s]").astype("datetime64[ns]"),
    )


@pytest.fixture(scope="module")
def events(seismograms, model):
    return seismograms.read_by(model)


def reordered(events, order):
    """The only event with its stations in another order, or some of them alone."""
    order = torch.as_tensor(order)
    one = replace(events, features=NodeFeatures(*(value[order] for value in events.features[:4])))
    stations = {name: getattr(events, name)[order] for name in ("pos", "amplitude", "onset_s")}
    return replace(one, start=np.array([0, len(order)]), **stations)


def passage(model, events, index):
    batch = events.batch(np.array([index]))
    return attention._follow(model, batch.features, batch.pos, batch.mask)


# --------------------------------------------------------------------------------------------- whom the maxima select


def test_the_selected_message_is_what_the_block_passes_on(model, events):
    with torch.no_grad():
        steps = passage(model, events, 3).steps
    chosen = attention.selection(model, events, 3).chosen
    assert chosen.shape == (3, 12, 16)
    for step, choice in zip(steps, torch.from_numpy(chosen), strict=True):
        everyone = torch.arange(12).expand(1, 12, 12)
        sent = attention.messages(step.block, step.u, step.given[1], step.given[3], everyone)[0]  # (N, N, C)
        taken = sent.gather(1, choice.clamp(min=0)[:, None]).squeeze(1)
        torch.testing.assert_close(torch.where(choice >= 0, taken, 0.0), step.message[0])
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())


def test_shares_sum_to_one_and_are_those_of_the_matrix(model, events):
    selected = attention.selection(model, events, 1)
    np.testing.assert_allclose(selected.matrix.sum(-1), 1)
    for values in (
        attention.selection_frequency(selected),
        attention.readout_frequency(selected),
        *(attention.gradient_weighted(model, events, 1, output) for output in attention.OUTPUTS),
        attention.rollout(selected),
    ):
        assert (values >= 0).all()
        np.testing.assert_allclose(values.sum(-1), 1)
    heard = (selected.chosen >= 0).sum(2)  # (L, N) channels in which each station takes a message
    mixed = (heard[..., None] * selected.matrix).sum(1) / heard.sum(1, keepdims=True)
    np.testing.assert_allclose(attention.selection_frequency(selected), mixed)
    assert ((selected.silent > 0) & (selected.silent < 1)).all()


def test_matrix_and_frequency_of_a_selection_counted_by_hand():
    chosen = np.array([[[1, 1, 2], [0, -1, -1], [-1, -1, -1]]])
    selected = attention.Selection(chosen, np.array([[0, 1, 1], [2, 2, -1]]), multiscale=True)
    np.testing.assert_allclose(selected.matrix[0], [[0, 2 / 3, 1 / 3], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(attention.selection_frequency(selected), [[1 / 4, 2 / 4, 1 / 4]])
    np.testing.assert_allclose(attention.readout_frequency(selected), [[1 / 3, 2 / 3, 0], [0, 0, 1]])
    np.testing.assert_allclose(selected.silent, 5 / 9)
    np.testing.assert_allclose(attention.rollout(selected), [1 / 6, 1 / 3, 1 / 2])
    last = replace(selected, multiscale=False)
    np.testing.assert_allclose(attention.rollout(last), [0, 0, 1])
    assert attention.critical_stations(replace(selected, chosen=np.full((1, 3, 3), -1))).all()
    np.testing.assert_array_equal(
        attention.critical_stations(replace(last, chosen=np.full((1, 3, 3), -1))), [False, False, True]
    )


def test_rollout_goes_from_the_readout_back_through_the_blocks():
    chosen = np.array([[[1], [0], [0]], [[2], [2], [1]]])  # station 0 takes of 2, which took of 0 before
    readout = np.array([[0], [0], [0]])
    flow = attention.rollout(attention.Selection(chosen, readout, multiscale=False))
    np.testing.assert_allclose(flow, [1 / 4 + 1 / 4, 1 / 4, 1 / 4])


def test_rollout_keeps_a_fixed_part_of_the_readout(model, events):
    """Half of the attention stays in each block, so that no station's rollout is below 2^-L of its readout."""
    for selected in attention.selections(model, events, np.arange(4)):
        read = np.mean(attention.readout_frequency(selected)[list(selected.levels)], axis=0)
        flow = attention.rollout(selected)
        assert (flow >= read * 0.5 ** len(selected.chosen) - 1e-12).all()
        assert flow.sum() == pytest.approx(1)


def test_the_order_of_the_stations_does_not_matter(model, events):
    one = events.select([1])
    order = np.random.default_rng(0).permutation(9)
    other = reordered(one, order)
    first, second = attention.selection(model, one, 0), attention.selection(model, other, 0)
    np.testing.assert_allclose(second.matrix, first.matrix[:, order][:, :, order], atol=1e-6)
    columns = attention.attention_table(model, one, 0).iloc[order].reset_index(drop=True)
    moved = attention.attention_table(model, other, 0).reset_index(drop=True)
    pd.testing.assert_frame_equal(moved, columns, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("neighbours", [3, 8])  # in a padded batch, 8 are more than some events have
def test_padding_changes_nothing(events, neighbours):
    model = built(neighbours=neighbours)
    for index, together in enumerate(attention.selections(model, events, np.arange(4))):
        alone = attention.selection(model, events, index)
        np.testing.assert_array_equal(together.chosen, alone.chosen)
        np.testing.assert_array_equal(together.readout, alone.readout)


def test_a_message_of_zero_is_nobodys(events):
    """With one neighbour, what the ReLU lets through is all that decides."""
    single = built(neighbours=1)
    with torch.no_grad():
        steps = passage(single, events, 3).steps
    chosen = attention.selection(single, events, 3).chosen
    for step, choice in zip(steps, chosen, strict=True):
        np.testing.assert_array_equal(choice >= 0, step.message[0] > 0)
        neighbour = step.block.neighbours(step.u, *step.given[1:3])[0][0]
        np.testing.assert_array_equal(choice, np.where(choice >= 0, neighbour, attention.NOBODY))
    lonely = attention.selection(single, reordered(events.select([0]), [2]), 0)
    np.testing.assert_array_equal(lonely.matrix, np.ones((3, 1, 1)))
    assert (lonely.readout == 0).all()


def test_stations_that_tie_are_not_selected(model, events):
    twins = reordered(events.select([2]), [0, 0, 1, 1, 2, 2])  # each station twice, at one place with one state
    selected = attention.selection(model, twins, 0)
    assert (selected.readout == attention.NOBODY).all()
    assert np.isnan(attention.readout_frequency(selected)).all()
    assert selected.silent.min() > 0.5  # a station's twin is the one sender without an equal


def test_a_model_without_edges_leaves_each_station_with_itself(events):
    alone = built(graph="none")
    selected = attention.selection(alone, events, 2)
    np.testing.assert_array_equal(selected.matrix, np.tile(np.eye(6), (3, 1, 1)))
    assert np.isnan(attention.selection_frequency(selected)).all()
    np.testing.assert_allclose(attention.rollout(selected), attention.readout_frequency(selected).mean(0))


def test_models_without_a_maximum_are_refused(events):
    for aggregation in ("mean", "softmax"):
        with pytest.raises(UserError, match=f"aggregation '{aggregation}' selects no neighbour"):
            attention.selection(built(aggregation=aggregation), events, 0)
    peer = peers.build("transformer", CONFIG)
    with pytest.raises(UserError, match="Transformer takes no maximum"):
        attention.selection(peer, events, 0)
    with pytest.raises(UserError, match="Transformer has no such state"):
        attention.integrated_gradients(peer, events, 0)
    with pytest.raises(UserError, match="no output 'azimuth': choose one of epicentre, depth"):
        attention.gradient_weighted(built(), events, 0, "azimuth")


# ------------------------------------------------------------------------------------------------ theory of the maximum


def test_the_derivative_of_the_maximum_is_one_for_the_selected_neighbour(model, events):
    with torch.no_grad():
        step = passage(model, events, 3).steps[1]
    _, pos, mask, relative = step.given
    neighbour, valid = step.block.neighbours(step.u, pos, mask)
    sent = step.block.other(step.u).detach().requires_grad_()
    hook = step.block.other.register_forward_hook(lambda *_: sent)
    own = step.block.own(torch.cat([step.u, relative], -1))
    message = step.block.aggregate(step.u, pos, own, neighbour, valid)
    hook.remove()
    chosen = attention.selection(model, events, 3).chosen[1]
    for station in range(12):
        for channel in (0, 7, 15):
            (gradient,) = torch.autograd.grad(message[0, station, channel], sent, retain_graph=True)
            expected = np.zeros((12, 16))
            if chosen[station, channel] >= 0:
                expected[chosen[station, channel], channel] = 1
                expected[station, channel] = -1  # the messages are made of differences
            np.testing.assert_allclose(gradient[0], expected)


def test_softmax_tends_to_the_maximum_within_its_bound(model, events):
    with torch.no_grad():
        step = passage(model, events, 3).steps[0]
    _, pos, mask, relative = step.given
    neighbour, valid = step.block.neighbours(step.u, pos, mask)
    given = [value.double() for value in (step.u, pos, step.block.own(torch.cat([step.u, relative], -1)))]
    gaps = []
    for beta in (1, 10, 100, 1000):
        soft = built(aggregation="softmax").blocks[0].double()
        for name in ("other", "offset"):  # messages, their weights and all, times beta
            getattr(soft, name).weight.data = beta * getattr(step.block, name).weight.data.double()
        smooth = soft.aggregate(*given[:2], beta * given[2], neighbour, valid) / beta
        gap = (step.message - smooth).detach()
        assert gap.min() > -1e-5
        assert gap.max() <= np.log(3) / beta + 1e-5
        gaps.append(gap.max().item())
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] > 0.01 > 1e-3 > gaps[-1]


def test_messages_of_neighbours_whom_nobody_selects_can_be_left_out(seismograms):
    static = built(graph="static", channels=4)  # few channels: many neighbours are selected in none
    read = seismograms.read_by(static)
    left_out = 0
    with torch.no_grad():
        for step, choice in zip(
            passage(static, read, 3).steps, attention.selection(static, read, 3).chosen, strict=True
        ):
            _, pos, mask, relative = step.given
            neighbour, valid = step.block.neighbours(step.u, pos, mask)
            selected = (choice[:, None] == neighbour[0].numpy()[..., None]).any(-1)
            needed = valid & torch.from_numpy(selected)
            left_out += (valid & ~needed).sum()
            own = step.block.own(torch.cat([step.u, relative], -1))
            message = step.block.aggregate(step.u, pos, own, neighbour, needed)
            kept = needed.any(-1)  # without any neighbour, a station would take its own part
            torch.testing.assert_close(message[kept], step.message[kept])
    assert left_out > 20


def test_the_readout_maximum_needs_its_critical_stations_and_no_other(seismograms):
    """Without edges, and with the reference and the estimates given, a station's state is its own affair."""
    alone = built(graph="none", channels=4)
    read = seismograms.read_by(alone)
    critical = torch.from_numpy(attention.critical_stations(attention.selection(alone, read, 3)))
    assert 0 < critical.sum() < 12
    with torch.no_grad():
        steps = passage(alone, read, 3).steps
        whole, part = [steps[0].given[0]], [steps[0].given[0][:, critical]]
        for step in steps:
            part.append(step.block(part[-1], *(value[:, critical] for value in step.given[1:])))
            whole.append(step.h)
        kept = part[0].shape[1]
        everyone, fewer = torch.ones(1, 12, dtype=torch.bool), ~torch.eye(kept, dtype=torch.bool)
        largest = torch.stack([alone.pool(h, everyone)[0, :4] for h in whole])  # (L + 1, C)
        without = torch.stack([alone.pool(h, fewer.new_ones(1, kept))[0, :4] for h in part])
        torch.testing.assert_close(without, largest)
        lacking = torch.stack([alone.pool(h.expand(kept, -1, -1, -1), fewer)[:, :4] for h in part], 1)
    assert (lacking < largest - 1e-5).any(-1).any(-1).all()  # without any critical one, some maximum is smaller


# -------------------------------------------------------------------------------------------------------------- checks


def test_gradients_weigh_selections_by_finite_differences(model, events):
    """A small change of one station's selected messages changes the output as the gradients say."""
    batch = events.batch(np.array([2]))
    weights = attention.gradient_weighted(model, events, 2, "depth")
    chosen = attention.selection(model, events, 2).chosen
    double, size = built().double(), 1e-5
    features = NodeFeatures(*(value.double() for value in batch.features[:4]))
    block, slopes = double.blocks[-1], np.zeros(6)
    for i, j in np.ndindex(6, 16):
        bump = torch.zeros(1, 6, 16, dtype=torch.float64)
        bump[0, i, j] = size
        depths = []
        for sign in (1, -1):
            hook = block.out.register_forward_pre_hook(lambda _, given, bump=sign * bump: (given[0] + bump,))
            with torch.no_grad():
                depths.append(double.locate(features, batch.pos.double(), batch.mask).depth.item())
            hook.remove()
        if chosen[-1, i, j] >= 0:
            slopes[chosen[-1, i, j]] += abs(depths[0] - depths[1]) / (2 * size)
    np.testing.assert_allclose(weights[-1], slopes / slopes.sum(), atol=1e-4)


def test_gradients_need_no_trainable_weights_and_leave_none_behind(events):
    frozen = built().requires_grad_(False)
    free = built()
    np.testing.assert_allclose(
        attention.gradient_weighted(frozen, events, 1), attention.gradient_weighted(free, events, 1)
    )
    attention.integrated_gradients(free, events, 1)
    assert all(parameter.grad is None for parameter in free.parameters())
    assert not events.features.state.requires_grad


def test_leaving_out_is_the_prediction_without_the_station(model, events):
    one = events.select([1])
    table = attention.leave_one_out(model, one, 0)
    locator = Locator(config=CONFIG)
    locator.model_ = model
    whole = locator.predict(one)
    for station in (0, 4, 8):
        less = locator.predict(reordered(one, np.delete(np.arange(9), station)))
        assert table.epicentre_km[station] == pytest.approx((whole.epicentre - less.epicentre).norm().item(), abs=1e-3)
        assert table.magnitude[station] == pytest.approx((whole.magnitude - less.magnitude).item(), abs=1e-5)
    assert table.epicentre_km.min() > 0
    single = reordered(one, [0])
    with pytest.raises(UserError, match="event b has one station only"):
        attention.leave_one_out(model, single, 0)
    assert len(attention.leave_one_out(peers.build("transformer", CONFIG), as_read_by_transformer(events), 0)) == 4


def as_read_by_transformer(events):
    state = torch.zeros(len(events.pos), 1, 16 * 15)
    return replace(events, features=events.features._replace(state=state))


@pytest.mark.parametrize("output", attention.OUTPUTS)
def test_integrated_gradients_sum_to_the_difference(events, output):
    static = built(graph="static")
    coarse, fine = (attention.integrated_gradients(static, events, 1, output, steps) for steps in (2, 256))
    batch = events.batch(np.array([1]))
    hook = static.reading.register_forward_hook(lambda layer, given, reading: 0 * reading)
    with torch.no_grad():
        nothing = static.locate(batch.features._replace(state=0 * batch.features.state), batch.pos, batch.mask)
    hook.remove()
    measure = attention.OUTPUTS[output]
    difference = (measure(passage(static, events, 1).prediction) - measure(nothing)).item()
    assert fine.attribution.sum() + fine.residual == pytest.approx(difference, abs=1e-4)
    assert abs(fine.residual) < 0.02 * np.abs(fine.attribution).sum()
    assert abs(fine.residual) < abs(coarse.residual)


def test_shuffled_weights_attend_to_others(model, events):
    shuffled = attention.shuffle_weights(model, 1)
    for before, after in zip(model.parameters(), shuffled.parameters(), strict=True):
        torch.testing.assert_close(before.flatten().sort().values, after.flatten().sort().values)
    first = attention.selection_frequency(attention.selection(model, events, 3))
    second = attention.selection_frequency(attention.selection(shuffled, events, 3))
    assert np.abs(first - second).sum(1).min() > 0.1  # total variation of more than a twentieth in each block
    again = attention.selection_frequency(attention.selection(attention.shuffle_weights(model, 1), events, 3))
    np.testing.assert_array_equal(second, again)


# --------------------------------------------------------------------------------------------------------------- table


def test_the_table_holds_all_measures_and_circumstances(model, seismograms, events):
    table = attention.attention_table(model, seismograms, 1)
    assert len(table) == 9
    assert table.notna().to_numpy().all()
    assert set(table.source_id) == {"b"}
    np.testing.assert_allclose(table.filter(regex="selection_|readout_|gradient_|rollout").sum(), 1)
    rows = slice(4, 13)
    np.testing.assert_allclose(
        table.epicentral_km, np.hypot(*(seismograms.pos[rows, :2].numpy() - [3, 4]).T), rtol=1e-5
    )
    np.testing.assert_array_equal(np.argsort(table.p_order), np.argsort(seismograms.onset_s[rows, 0].numpy()))
    np.testing.assert_allclose(table.rollout, attention.rollout(attention.selection(model, events, 1)))
    read = attention.attention_table(model, events, 1)
    assert read.snr.isna().all()
    pd.testing.assert_frame_equal(read.drop(columns="snr"), table.drop(columns="snr"))


def test_signal_to_noise_ratio_is_peak_over_what_precedes_p():
    trace = torch.zeros(3, 3, 600)
    trace[..., :200] = 0.01
    trace[0, 0, 300], trace[1, 0, 300], trace[2, 0, 300] = 1, 10, 1
    ratio = attention._snr(trace, torch.tensor([10.0, 10.0, 0.9]), 20)
    np.testing.assert_allclose(ratio, [2, 3, np.nan], atol=1e-6)


# ---------------------------------------------------------------------------------------------------------- statistics


def test_rank_agreement_of_equal_reverse_and_unrelated_measures():
    rng = np.random.default_rng(0)
    a = [rng.normal(size=8) for _ in range(60)]
    same = attention.rank_agreement(a, [np.exp(one) for one in a])
    np.testing.assert_allclose((*same.tau, *same.overlap), 1)
    assert attention.rank_agreement(a, [-one for one in a]).tau.value == pytest.approx(-1)
    unrelated = attention.rank_agreement(a, [rng.normal(size=8) for _ in a])
    assert unrelated.tau.low < 0 < unrelated.tau.high
    assert unrelated.overlap.low < unrelated.chance < unrelated.overlap.high
    assert unrelated.chance == pytest.approx(3 / 8)


def test_rank_agreement_leaves_out_what_cannot_be_ranked():
    a = [[3, 2, 1, 0], [1, 1, 1, 1], [1, 2, np.nan, 3], [1, 2, 3]]
    b = [[3, 2, 0, 1], [1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3]]
    found = attention.rank_agreement(a, b, k=3)
    assert found.events == 2  # the first and the last
    assert found.tau.value == pytest.approx((4 / 6 + 1) / 2)
    assert found.overlap.value == pytest.approx((2 / 3 + 3 / 4) / 2)  # of the first, and by lot of the second
    with pytest.raises(UserError, match="no event has more than 5 stations"):
        attention.rank_agreement(a, b, k=5)
    with pytest.raises(UserError, match="not of the same events and stations"):
        attention.rank_agreement(a, b[::-1])


def test_partial_correlation_sees_through_a_common_cause():
    rng = np.random.default_rng(0)
    distance = rng.normal(size=500)
    x, y = distance + 0.5 * rng.normal(size=(2, 500))
    plain = attention.partial_rank_correlation(x, y, rng.normal(size=500))
    assert plain > 0.6
    assert abs(attention.partial_rank_correlation(x, y, distance)) < 0.15
    assert attention.partial_rank_correlation(x, np.exp(x), distance) == pytest.approx(1)
    assert np.isnan(attention.partial_rank_correlation(x, distance**3, distance))
    assert np.isnan(attention.partial_rank_correlation(x[:3], y[:3], distance[:3]))
    holes = np.r_[np.full(3, np.nan), y[3:]]
    expected = attention.partial_rank_correlation(x[3:], y[3:], distance[3:, None])
    assert attention.partial_rank_correlation(x, holes, distance) == pytest.approx(expected)


def test_partial_correlation_is_the_textbook_formula_for_one_control():
    x, y, z = np.random.default_rng(1).normal(size=(3, 40)) + np.linspace(0, 2, 40)
    r = pd.DataFrame({"x": x, "y": y, "z": z}).corr("spearman")
    expected = (r.x.y - r.x.z * r.y.z) / np.sqrt((1 - r.x.z**2) * (1 - r.y.z**2))
    assert attention.partial_rank_correlation(x, y, z) == pytest.approx(expected)


def test_deletion_curves_are_errors_of_the_stations_that_stay(model, events):
    orders = [np.random.default_rng(i).permutation(size) for i, size in enumerate(SIZES)]
    table = attention.deletion_curve(model, events, orders, ks=(2, 4), progress=False)
    assert table.groupby(["arm", "k"]).size().to_dict() == dict.fromkeys(
        [("kept", 2), ("kept", 4), ("removed", 0), ("removed", 2), ("removed", 4)], 3
    )  # the event with four stations is too small
    locator = Locator(config=CONFIG)
    locator.model_ = model
    one = events.select([1])
    for arm, k, rows in (("removed", 0, orders[1]), ("removed", 2, orders[1][2:]), ("kept", 4, orders[1][:4])):
        prediction = locator.predict(reordered(one, np.sort(rows)))
        found = table.set_index(["source_id", "arm", "k"]).loc[("b", arm, k)]
        assert found.epicentral_km == pytest.approx((prediction.epicentre - one.y[:, :2]).norm().item(), abs=1e-3)
        assert found.magnitude == pytest.approx((prediction.magnitude - one.y[:, 3]).abs().item(), abs=1e-5)
    assert table.magnitude[table.source_id == "d"].isna().all()
    summary = attention.summarise_deletion(table)
    assert summary.loc[("kept", 2), "epicentral_km"] == table.query("arm == 'kept' and k == 2").epicentral_km.median()
    assert (summary.low_km <= summary.epicentral_km).all()


def test_deletion_needs_orders_that_name_each_station(model, events):
    orders = [np.arange(size) for size in SIZES]
    with pytest.raises(UserError, match="order 2 must name each of the event's 6 stations once"):
        attention.deletion_curve(model, events, [*orders[:2], np.zeros(6, int), orders[3]], progress=False)
    with pytest.raises(UserError, match="3 orders for 4 events"):
        attention.deletion_curve(model, events, orders[:3], progress=False)
    with pytest.raises(UserError, match="no event has more than 12 stations"):
        attention.deletion_curve(model, events, orders, ks=(12,), progress=False)
    with pytest.raises(UserError, match="ks must be 1 or more"):
        attention.deletion_curve(model, events, orders, ks=(0,), progress=False)


# --------------------------------------------------------------------------------- why stations become alike, or do not


def connected_graph(rng, n):
    """Adjacency with self-loops of a random connected graph, and its diameter."""
    adjacency = np.eye(n, dtype=bool)
    for i in range(1, n):  # a random tree, and some edges more
        j = rng.integers(i)
        adjacency[i, j] = adjacency[j, i] = True
    extra = rng.random((n, n)) < 0.1
    adjacency |= extra | extra.T
    distance, diameter = adjacency.copy(), 1
    while not distance.all():
        distance, diameter = distance @ adjacency, diameter + 1
    return adjacency, diameter


@pytest.mark.parametrize("seed", range(10))
def test_means_contract_at_least_as_fast_as_is_proved(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    adjacency, diameter = connected_graph(rng, n)
    weight = adjacency * rng.uniform(0.2, 1, (n, n))
    weight /= weight.sum(1, keepdims=True)
    smallest = weight[adjacency].min()
    h = rng.normal(size=n)
    after = np.linalg.matrix_power(weight, diameter) @ h
    assert np.ptp(after) <= (1 - smallest**diameter) * np.ptp(h) + 1e-12
    assert np.ptp(weight @ h) <= np.ptp(h)


@pytest.mark.parametrize("seed", range(10))
def test_maxima_on_a_connected_graph_are_equal_after_its_diameter(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 12))
    adjacency, diameter = connected_graph(rng, n)
    h = rng.normal(size=n)
    for _ in range(diameter):
        h = np.where(adjacency, h, -np.inf).max(1)
    assert np.ptp(h) == 0


def test_groups_without_edges_between_them_stay_apart():
    rng = np.random.default_rng(0)
    first, _ = connected_graph(rng, 4)
    second, _ = connected_graph(rng, 5)
    adjacency = np.block([[first, np.zeros((4, 5), bool)], [np.zeros((5, 4), bool), second]])
    h = np.r_[rng.uniform(0, 1, 4), rng.uniform(9, 10, 5)]
    for _ in range(20):
        h = np.where(adjacency, h, -np.inf).max(1)
    assert np.ptp(h[:4]) == np.ptp(h[4:]) == 0
    assert np.ptp(h) > 8
