"""The worked example of one wrong clock: what both kinds of weights find, and where neither helps."""

import numpy as np
import pytest
import torch

from seisbook.catalogues import networks
from seisbook.figures import one_clock as figures
from seisbook.models import one_clock

LATE = (0.0, 2.0, 0.0, 0.0)


@pytest.fixture(scope="module", params=["colombia", "ridgecrest"])
def place(request):
    return networks.load(request.param)


def medians(place, late_s):
    found = one_clock.readings(place, late_s, 100)
    return [one_clock.errors(found, one_clock.locate(found, kind)).median().item() for kind in (False, True)]


def test_readings_differ_by_the_clock_alone(place):
    true, late = (one_clock.readings(place, late_s, 5, 3) for late_s in ((0.0,) * 4, LATE))
    torch.testing.assert_close(true.source, late.source)
    torch.testing.assert_close(late.onset - true.onset, torch.tensor(LATE)[:, None].expand(5, 4, 2), atol=1e-5, rtol=0)


def test_onsets_scatter_by_the_reading_error(place):
    found = one_clock.readings(place, (0.0,) * 4, 500)
    r = torch.cdist(found.source[:, :2], found.pos[:, :2])
    travel = found.times.travel(r, torch.full_like(r, one_clock.DEPTH_KM), torch.zeros_like(r))
    assert (found.onset - travel).std().item() == pytest.approx(one_clock.READING_S, rel=0.05)


def test_both_find_the_source_if_all_clocks_are_right(place):
    assert max(medians(place, (0.0,) * 4)) < 0.5


def test_least_squares_solves_its_normal_equations(place):
    found = one_clock.readings(place, LATE, 20)
    located = one_clock.locate(found, False)
    torch.testing.assert_close(located.path[-1], located.path[-2], atol=1e-3, rtol=0)
    assert (located.weight == 1).all()


def test_redescending_weights_leave_one_wrong_clock_out(place):
    least_squares, redescending = medians(place, LATE)
    assert least_squares > 5 * redescending
    found = one_clock.readings(place, LATE, random_state=0)
    weight = one_clock.locate(found, True).weight[0]
    assert (weight[1] < 0.01).all()
    assert (weight[[0, 2, 3]] > 0.5).all()


def test_a_clock_that_is_wrong_by_little_fools_both(place):
    least_squares, redescending = medians(place, (0.0, 0.3, 0.0, 0.0))
    assert redescending == pytest.approx(least_squares, rel=0.1)
    assert least_squares > 0.5


def test_two_clocks_that_lie_together_win(place):
    assert min(medians(place, (2.0, 2.0, 0.0, 0.0))) > 3


def test_share_of_the_weight_falls_with_the_residual():
    share = one_clock.share(torch.tensor([0.0, 0.1, 0.4, 1.0]), True)
    np.testing.assert_allclose(share, 2 / (2 + np.array([0, 1, 16, 100])), rtol=1e-5)


def test_figures_show_both_kinds_of_weights(place):
    found = one_clock.readings(place, LATE)
    located = {kind: one_clock.locate(found, kind) for kind in (False, True)}
    drawn = figures.example(found, located)
    crosses, dots = (next(line for line in drawn.axes[1].lines if line.get_marker() == mark) for mark in ("X", "o"))
    np.testing.assert_allclose(crosses.get_ydata(), 1)
    assert min(dots.get_ydata()) < 0.01
    table = one_clock.sweep(place, (0.0, 3.0), 20)
    assert len(table) == 2 * 2 * 20
    axis = figures.sweep(table).axes[0]
    assert [list(line.get_xdata()) for line in axis.lines] == [[0.0, 3.0]] * 2
