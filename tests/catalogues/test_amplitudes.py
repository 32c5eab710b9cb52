import pytest

from seisbook.catalogues.amplitudes import displacement_nm, stated_units


@pytest.mark.parametrize(
    ("kind", "unit", "value", "nm"),
    [
        ("IAML", "m", 2.5e-7, 250.0),
        ("AML", "m", 2.5e-7, 250.0),
        ("A", "nm", 12.0, 12.0),
        (None, "m", 1e-9, 1.0),
        ("IAML", "mm", 1e-3, 1000.0),
        ("AML", "mm", 2.08, 1000.0),  # on the seismometer's trace
        ("MLv", "mm", 2.08, 1000.0),
        ("iaml", "nm", 3.0, 3.0),
    ],
)
def test_wood_anderson_amplitudes(kind, unit, value, nm):
    assert displacement_nm(kind, unit, value, 0.5)[0] == pytest.approx(nm)


@pytest.mark.parametrize(
    ("kind", "unit", "value", "period", "why"),
    [
        ("MS", "m", 3e-3, 20.0, "type"),
        ("IAMs_20", "nm", 500.0, 19.0, "type"),
        ("IVmB_BB", "m/s", 1e-6, 2.0, "type"),
        ("mb", "nm", 30.0, 1.0, "type"),
        ("A", "m", 3e-3, 20.0, "period"),
        ("AML", None, 5e-2, None, "unit"),
        ("AML", "other", 5e-2, None, "unit"),
        ("A", "m/s", 1e-6, 0.5, "unit"),
        ("A", "dimensionless", 900.0, 0.5, "unit"),
        ("AML", "m", 0.0, 0.5, "value"),
        ("AML", "m", None, 0.5, "value"),
        ("AML", "m", float("nan"), 0.5, "value"),
    ],
)
def test_other_amplitudes_are_none(kind, unit, value, period, why):
    found, reason = displacement_nm(kind, unit, value, period)
    assert found is None
    assert why in reason


def test_units_are_read_as_they_are_written(tmp_path):
    (tmp_path / "a.xml").write_text(
        '<q xmlns="http://a"><event><amplitude publicID="smi:a/1"><genericAmplitude><value>1</value></genericAmplitude>'
        '<unit> mm </unit></amplitude><amplitude publicID="smi:a/2"/></event></q>'
    )
    assert stated_units(tmp_path / "a.xml") == {"smi:a/1": "mm"}
