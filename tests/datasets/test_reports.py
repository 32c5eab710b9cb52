import numpy as np
import pandas as pd
import pytest

from seisbook.catalogues import networks, sources
from seisbook.catalogues.catalogue import Catalogue
from seisbook.datasets import reports
from seisbook.errors import UserError
from seisbook.physics import simulation


@pytest.fixture(scope="module")
def colombia():
    return networks.load("colombia")


@pytest.fixture(scope="module")
def twin(colombia):
    return simulation.simulate(colombia, 120, 5)


@pytest.fixture(scope="module")
def texts(twin, colombia):
    return reports.templated(twin.events, reports.event_classes(twin, colombia), colombia)


def real(colombia, *rows):
    """A catalogue of real events at these places, without readings."""
    names = ["source_latitude_deg", "source_longitude_deg", "source_depth_km", "source_type"]
    events = pd.DataFrame(rows, columns=names).assign(
        source_id=[f"e{i}" for i in range(len(rows))], source_origin_time=pd.Timestamp("2018-02-01", tz="UTC")
    )
    return Catalogue.from_rows("colombia", "bulletin", events, pd.DataFrame({"source_id": [], "station_code": []}))


def test_simulated_events_have_the_class_of_their_zone(twin, colombia):
    assert (reports.event_classes(twin, colombia) == twin.events.source_type).all()


def test_real_events_are_classed_by_place_unless_the_analyst_flagged_them(colombia):
    catalogue = real(
        colombia,
        (6.82, -73.17, 145.0, "unknown"),
        (6.82, -73.17, 20.0, "unknown"),  # above the nest
        (3.9, -71.6, 3.0, "unknown"),
        (4.0, -79.5, 20.0, "unknown"),
        (4.5, -75.4, 2.0, "volcanic"),
        (6.82, -73.17, 145.0, "quarry_blast"),
    )
    found = reports.event_classes(catalogue, colombia).tolist()
    assert found == ["deep_nest", "tectonic", "induced", "offshore", "volcanic", "quarry_blast"]


def test_reports_are_the_same_for_the_same_seed_and_of_both_languages(twin, texts, colombia):
    classes = reports.event_classes(twin, colombia)
    assert texts.equals(reports.templated(twin.events, classes, colombia))
    assert not texts.equals(reports.templated(twin.events, classes, colombia, 1))
    assert 0.3 < texts.str.contains(r"\bde\b").mean() < 0.7


def test_a_report_names_the_nearest_town_and_how_to_get_there(colombia):
    north_of_tunja = real(colombia, (5.54 + 0.18, -73.36, 10.0, "unknown"))
    text = reports.templated(north_of_tunja.events, ["tectonic"], colombia)["e0"]
    assert "20 km" in text
    assert "Tunja" in text
    assert "north" in text or "norte" in text


def test_remarks_follow_the_class_and_only_it(twin, texts, colombia):
    classes = reports.event_classes(twin, colombia)
    said = texts.str.contains("nest|nido")
    assert not said[classes != "deep_nest"].any()
    assert 0.5 < said[classes == "deep_nest"].mean() < 0.9


def test_large_events_are_felt(colombia):
    events = real(colombia, (5.5, -73.3, 10.0, "unknown")).events.assign(source_magnitude=4.5)
    text = reports.templated(events, ["tectonic"], colombia).iloc[0]
    assert "widely" in text or "ampliamente" in text


def test_networks_without_towns_are_refused(twin):
    with pytest.raises(UserError, match="no towns"):
        reports.templated(twin.events, twin.events.source_type, networks.load("iceland"))


def test_masked_numbers_leave_no_digit_and_no_date(texts):
    dated = [*texts, "Sentido el 3 de febrero de 2018", "Felt on Monday, BAR2-PTB"]
    for text in reports.mask(dated, "numbers", "templated"):
        assert not any(letter.isdigit() for letter in text)
        assert not {"febrero", "monday"} & set(text.casefold().split())
    assert any("Bucaramanga" in text for text in reports.mask(texts, "numbers", "templated"))


def test_masked_places_leave_general_words_only(texts):
    allowed = reports.vocabulary("templated")
    towns = {reports.plain(word) for names in reports.TOWNS.values() for name in names for word in name.split()}
    ways = {reports.plain(word) for names in reports.DIRECTIONS.values() for word in names}
    assert not allowed & (towns | ways)
    for text in reports.mask(texts, "places", "templated"):
        assert {reports.plain(word) for word in text.split()} <= allowed


def test_masked_observed_texts_hold_no_place():
    lines = [
        "Epicentro: LOS SANTOS - SANTANDER\nEvento Sentido\nReportado como sentido en:\nGIRON, EL CARMEN (SANTANDER)",
        "Epicentro: O. PACIFICO NORTE",
        "*EVENTO VOLCANICO ASOCIADO AL VOLCAN AZUFRAL\nEpicentro: SAPUYES - NARINO",
    ]
    assert reports.mask(lines, "places", "observed") == [
        "Epicentro Evento Sentido Reportado como sentido",
        "Epicentro",
        "EVENTO VOLCANICO ASOCIADO VOLCAN Epicentro",
    ]
    assert reports.mask(lines, "none", "observed") == lines
    with pytest.raises(UserError, match="choose one of none"):
        reports.mask(lines, "place", "observed")


def test_prompts_are_not_sentences_of_the_grammar():
    sentences = {reports.plain(one) for part in reports.REMARKS.values() for two in part.values() for one in two}
    for prompts in reports.PROMPTS.values():
        assert set(prompts) <= set(reports.CLASSES)
        for english, spanish in prompts.values():
            assert {reports.plain(english), reports.plain(spanish)}.isdisjoint(sentences)
            assert english != spanish


def test_nearest_town(colombia):
    events = real(colombia, (4.6, -74.1, 5.0, "unknown"), (1.2, -77.3, 5.0, "unknown")).events
    assert reports.nearest_town(events, colombia) == ["Bogotá", "Pasto"]
    assert np.isin(reports.nearest_town(events, colombia), list(reports.TOWNS["colombia"])).all()


@pytest.mark.skipif(not sources.is_available("colombia"), reason="needs the real Colombian bulletin")
def test_nothing_but_general_words_is_left_of_the_observed_texts(bulletin):
    texts = np.concatenate([bulletin("colombia", one).events.source_text for one in (None, "1997-2015")])
    left = {word for text in reports.mask(texts, "places", "observed") for word in reports.plain(text).split()}
    assert left <= reports.vocabulary("observed")
    assert "santander" not in left
    assert len(set(reports.mask(texts, "places", "observed"))) < 25 < 250 < len(set(texts))
