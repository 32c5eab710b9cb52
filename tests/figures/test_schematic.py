import numpy as np
import pytest
import torch

from seisbook.figures import schematic
from seisbook.models import inspection
from seisbook.models.graph import GraphModel, ModelConfig


@pytest.fixture(scope="module", params=["multiscale", "last"])
def drawn(request, events):
    """A model with random weights, what it does with a simulated event, and the schematic of that."""
    torch.manual_seed(0)
    config = ModelConfig(window_s=30, sampling_rate_hz=50, channels=16, blocks=2, readout=request.param)
    model = GraphModel(config)
    index = inspection.clear_event(events)
    walk, messages = inspection.walk(model, events, index), inspection.first_messages(model, events, index)
    return config, walk, messages, schematic.schematic(walk, *messages, config)


def test_the_shapes_written_in_are_those_of_the_arrays(drawn):
    config, walk, (neighbour, message), figure = drawn
    shapes = [axis.get_xlabel() for axis in figure.axes]
    sizes = [shape.split(" → ")[0].split(" × ") for shape in shapes[:5]]
    arrays = [walk.traces, walk.probability, neighbour, message]
    assert [tuple(map(int, size)) for size in sizes[:4]] == [array.shape for array in arrays]
    assert np.prod([int(size) for size in sizes[4]]) == walk.prediction.embedding.shape[1]
    assert len(figure.axes[4].images) == walk.prediction.embedding.shape[1] // config.channels


def test_steps_are_numbered_in_the_order_of_the_model(drawn):
    titles = [axis.get_title(loc="left") for axis in drawn[3].axes]
    assert [title[0] for title in titles] == list("123456")
    assert titles[-1].endswith("ellipse")


def test_one_station_stands_out_with_its_neighbours(drawn):
    _, walk, (neighbour, message), figure = drawn
    station = schematic.shown_station(walk)
    strong = [line for line in figure.axes[2].lines if line.get_linewidth() > 2]
    ends = {tuple(line.get_xydata()[1]) for line in strong}
    assert ends == {tuple(walk.pos[other, :2]) for other in neighbour[station]}
    taken = figure.axes[3].images[1].get_array()[0]
    assert (taken.sum(-1) < 3).tolist() == (message[station].max(0) > 0).tolist()  # white where no message came


def test_the_prediction_and_the_label_are_on_the_map(drawn):
    _, walk, _, figure = drawn
    places = [tuple(line.get_xydata()[0]) for line in figure.axes[5].lines]
    assert tuple(walk.y[:2]) in places
    assert tuple(walk.estimates[-1, :2]) in places
    assert any(f"M {walk.prediction.magnitude[0].item():.1f}" in text.get_text() for text in figure.axes[5].texts)


def test_letters_can_be_read_on_a_phone(drawn):
    figure = drawn[3]
    pixels = 350 / figure.get_figwidth() / 72  # of a point, on a phone's screen of 350 pixels beside the margins
    texts = [text for axis in figure.axes for text in (*axis.texts, axis.xaxis.label, axis.title) if text.get_text()]
    assert min(text.get_fontsize() for text in texts) * pixels > 8
