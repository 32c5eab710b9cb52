"""Maps are the same prediction as that of single points, and a model comes back from disk as it was."""

import numpy as np
import pytest
import torch

from seisbook.catalogues import regions
from seisbook.errors import DataError
from seisbook.models import checkpoints, field_checkpoints
from seisbook.models.conditional_normal import ConditionalNormal, condition
from seisbook.models.field_maps import predict_map
from seisbook.models.field_methods import Information, hide
from tests.models.made_fields import REGION, parts


@pytest.fixture(scope="module")
def fitted():
    return ConditionalNormal().fit(parts()[0])


@pytest.fixture
def saved(tmp_path, fitted):
    return field_checkpoints.save(tmp_path / "one", fitted, parts()[0], REGION, {"source": "simulated"}, {})


@pytest.mark.parametrize("share", [0.3, 0.95])
def test_a_map_is_what_single_points_are(fitted, share):
    event = parts()[1].select([3])
    event.values[event.start[0], 2] = np.nan  # one value is missing
    observed = hide(event, share)
    points = np.random.default_rng(0).uniform(-300, 300, (2100, 2))
    (scene,) = fitted.scenes(event, observed)
    mean, scale = predict_map(fitted, scene, points)
    residual = np.concatenate([fitted.used(scene), np.full((len(points), 5), np.nan)])
    left = np.concatenate([scene.left, np.ones((len(points), 5))])
    everywhere, seen = np.concatenate([scene.pos, points]), np.concatenate([observed, np.zeros(len(points), bool)])
    extra = fitted.law_.site_sd_**2 * (left - fitted.usual_left_)
    shift, variance = condition(fitted.covariance_, residual, everywhere, seen, extra)
    shift, variance = shift[len(observed) :], variance[len(observed) :]
    distance = np.hypot(*(points - event.epicentre[0]).T)
    law = fitted.law_.expected(event.magnitude[0], distance, event.depth_km[0])
    assert mean == pytest.approx(law + shift, abs=1e-3)  # there, a missing value is one with a large variance
    assert scale == pytest.approx(np.sqrt(variance) * fitted.factor_, abs=1e-3)


@pytest.mark.parametrize("values", ["all", "some", "one"])
def test_a_map_is_exact(fitted, values):
    """The conditional normal, written out for the values that are there."""
    event = parts()[1].select([3])
    rng = np.random.default_rng(1)
    if values != "all":
        event.values[rng.random(event.values.shape) < 0.5] = np.nan
    if values == "one":
        event.values[np.arange(len(event.values)) != 2] = np.nan
        event.values[2] = np.where(np.arange(5) == 1, fitted.law_.predict(event)[2] + 0.1, np.nan)
    (scene,) = fitted.scenes(event, np.ones(len(event.values), bool))
    points = rng.uniform(-300, 300, (50, 2))
    mean, scale = predict_map(fitted, scene, points)
    model, used = fitted.covariance_, fitted.used(scene)
    extra, each = fitted.law_.site_sd_**2 * (scene.left - fitted.usual_left_), np.arange(len(used))
    known = np.isfinite(used).ravel()
    assert values != "one" or known.sum() == 1
    blocks = model.covariance(distances(scene.pos, scene.pos))
    blocks[each, :, each] += model.own + np.maximum(extra, 0)[:, :, None] * np.eye(5)
    gain = model.covariance(distances(points, scene.pos)).reshape(250, -1)[:, known]
    inverse = np.linalg.inv(blocks.reshape(len(known), -1)[np.ix_(known, known)])
    shift = (gain @ inverse @ used.ravel()[known]).reshape(-1, 5)
    taken = np.einsum("ij,jk,ik->i", gain, inverse, gain).reshape(-1, 5)
    variance = model.variance + fitted.law_.site_sd_**2 * (1 - fitted.usual_left_) - taken
    assert mean == pytest.approx(fitted._law(scene.source, points) + shift, abs=1e-6)
    assert scale == pytest.approx(np.sqrt(variance) * fitted.factor_, abs=1e-6)


def distances(one, other):
    return np.hypot(*(one[:, None] - other[None]).transpose(2, 0, 1))


def test_a_map_is_what_the_method_predicts_at_points():
    method = ConditionalNormal(Information(site_terms=False)).fit(parts()[0])
    event = parts()[1].select([3])
    observed = hide(event, 0.5)
    (scene,) = method.scenes(event, observed)
    for one, other in zip(
        predict_map(method, scene, event.pos), method.predict_at(event, observed, event.pos), strict=True
    ):
        assert one == pytest.approx(other, abs=1e-5)


def test_without_a_station_a_map_is_the_law(fitted):
    event = parts()[1].select([0])
    observed = np.zeros(len(event.values), bool)
    (scene,) = fitted.scenes(event, observed)
    mean, scale = predict_map(fitted, scene, event.pos)
    assert mean == pytest.approx(fitted.law_.predict(event))
    assert np.ptp(scale, axis=0) == pytest.approx(0)


@pytest.mark.parametrize("count", [1, 3, 20])
def test_more_stations_know_more(fitted, count):
    event = parts()[1].select([int(np.argmax(parts()[1].sizes))])
    observed = np.arange(len(event.values)) < count
    fewer = np.arange(len(event.values)) < count // 2
    scales = [predict_map(fitted, next(fitted.scenes(event, kept)), event.pos)[1] for kept in (observed, fewer)]
    assert (scales[0] <= scales[1] + 1e-6).all()
    assert scales[0].mean() < scales[1].mean()


def test_a_model_comes_back_as_it_was(saved, fitted):
    normal, card = field_checkpoints.load(saved)
    test = parts()[1]
    observed = hide(test, 0.5)
    again = normal.method(knows_source=True)
    for one, other in zip(again.predict(test, observed), fitted.predict(test, observed), strict=True):
        assert one == pytest.approx(other)
    assert card.stations == tuple(parts()[0].codes)
    assert (normal.factor[1] > normal.factor[0]).all()  # an unknown source is less certain


def test_a_new_station_has_no_term(saved):
    method = field_checkpoints.load(saved)[0].method(knows_source=True)
    event = parts()[1].select([0])
    event.station[:] = method.law_.stations_ - 1
    terms, left = method.law_.site_terms(event)
    assert not terms.any()
    assert (left == 1).all()


def test_numbers_that_no_fit_gives_are_refused(saved):
    normal, card = field_checkpoints.load(saved)
    for name, value in (("own", -1.0), ("range_km", 0.0)):
        state = {key: tensor.clone() for key, tensor in normal.state_dict().items()}
        state[name] = torch.full_like(state[name], value)
        broken = field_checkpoints.RegionalNormal(card.config)
        broken.load_state_dict(state)
        path = checkpoints.save(saved.with_name("broken"), broken, card, form=field_checkpoints.FORM)
        with pytest.raises(DataError, match=f"tensor {name} "):
            field_checkpoints.load(path)


def test_a_damaged_card_is_refused_in_one_line(saved):
    card = saved.with_suffix(".json")
    text = card.read_text()
    for before, after in (('"ranges": ', '"ranges": 1'), ('"stations": ', '"stations": 9'), ("greece", "gr\\u0000")):
        card.write_text(text.replace(before, after, 1))
        with pytest.raises(DataError) as error:
            field_checkpoints.load(saved)
        assert "\n" not in str(error.value)


def test_the_published_models_are_those_of_their_regions():
    for name in ("greece", "italy"):
        _, card = field_checkpoints.load(checkpoints.MODELS / f"{name}-{field_checkpoints.NAME}")
        region = regions.load(name)
        assert (card.region, card.centre, card.farthest_km) == (region.name, region.centre, region.farthest_km)
        assert card.data["source"] == "measured"
