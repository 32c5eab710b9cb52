import pytest

from seisbook.catalogues.velocity_files import read_velocity
from seisbook.errors import DataError, UserError

LAYERS = [0.0, 6.5, 17.0], [5.5, 6.3, 6.7]


@pytest.mark.parametrize(
    "text",
    [
        "Example model\n5.5 0.0\n6.3 6.5\n6.7 17.0\n",  # HYPO71, hypoinverse: speed first
        "0.0 5.5\n6.5 6.3\n17.0 6.7\n",  # no wave has a speed of zero
        "depth,vp\n0,5.5\n6.5,6.3\n17,6.7\n",
        "Vp (km/s); Depth (km)\n5.5;0\n6.3;6.5\n6.7;17\n",
        "# a comment\n  5.5   0.0  1.2\n  6.3   6.5  1.2\n\n  6.7  17.0  1.2\n",
    ],
)
def test_layers_are_read_whatever_the_order_of_the_columns(tmp_path, text):
    (tmp_path / "model.txt").write_text(text.replace("Vp (km/s); Depth (km)", "Vp;Depth"))
    model = read_velocity(tmp_path / "model.txt", 1.75)
    assert (model.top_km, model.vp_km_s) == LAYERS
    assert model.vp_vs == 1.75


def test_speeds_of_s_give_the_ratio(tmp_path):
    (tmp_path / "model.csv").write_text("Depth,Vp,Vs\n-3,1.75,1\n1,3.5,2\n")
    model = read_velocity(tmp_path / "model.csv", 1.6)
    assert model.top_km == [-3.0, 1.0]
    assert model.vp_vs == 1.75


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("5.5 0\n6.3 0\n", r"model\.txt:2: depth 0 km does not lie below 0 km"),
        ("5.5 0\nsix 6.5\n", r"model\.txt:2: 'six 6\.5' holds no numbers"),
        ("no layer here\n", "no line with speed and depth"),
        ("depth,vp\n0,50\n", "no velocity model"),
        ("depth,vp,vs\n0,5\n", "fewer columns"),
        ("depth,vp,vs\n0,5,0\n", "speed of zero"),
    ],
)
def test_what_is_no_model_is_refused_with_its_place(tmp_path, text, message):
    (tmp_path / "model.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_velocity(tmp_path / "model.txt", 1.75)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="no such velocity file"):
        read_velocity(tmp_path / "no.txt", 1.75)


@pytest.mark.parametrize(
    ("name", "layers"),
    [("ridgecrest/velo_p_eg.cre", 4), ("iceland/iceland_vmodel.txt", 19), ("colombia/STATION0.HYP", 6)],
)
def test_models_of_three_observatories_are_read(real_data, name, layers):
    assert len(read_velocity(real_data / name, 1.75).top_km) == layers
