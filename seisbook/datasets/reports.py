"""Texts about events: bulletin lines, reports written from a grammar, their masking, and event classes.

Two kinds of text, never mixed: `observed`, the lines that analysts wrote into the Colombian bulletin, kept verbatim;
and `templated`, sentences that a small grammar makes of a catalogue's columns. A templated report stands in for a
bulletin where there is none. Where it breaks down: it says nothing that the catalogue does not hold, its vocabulary is
small, and its remarks follow the event class without error; alignment with it is easier than with what people write.
"""

import re
import unicodedata

import numpy as np
import pandas as pd
import shapely

from seisbook.catalogues import geography
from seisbook.errors import UserError

CLASSES = ("tectonic", "deep_nest", "induced", "offshore", "volcanic", "quarry_blast")
MASKS = ("none", "numbers", "places")
ZONE_LENGTHS, ZONE_DEPTH_KM = 4, 40  # from a zone's centre, in its own lengths: so near, a real event is of its class
REMARKED = 0.7  # share of the events whose class the observer remarks upon
FELT, FELT_WIDELY = 3.0, 4.0  # magnitudes from which a report says so
TOWNS = {  # latitude, longitude in degrees
    "colombia": {
        "Bogotá": (4.61, -74.08),
        "Medellín": (6.25, -75.56),
        "Cali": (3.45, -76.53),
        "Barranquilla": (10.97, -74.80),
        "Cartagena": (10.39, -75.51),
        "Bucaramanga": (7.12, -73.12),
        "Cúcuta": (7.89, -72.50),
        "Pereira": (4.81, -75.69),
        "Ibagué": (4.44, -75.23),
        "Pasto": (1.21, -77.28),
        "Neiva": (2.93, -75.28),
        "Popayán": (2.44, -76.61),
        "Villavicencio": (4.14, -73.63),
        "Puerto Gaitán": (4.31, -72.08),
        "Quibdó": (5.69, -76.66),
        "Buenaventura": (3.88, -77.03),
        "Tumaco": (1.81, -78.76),
        "Bahía Solano": (6.22, -77.40),
        "Turbo": (8.09, -76.73),
        "Dabeiba": (7.00, -76.26),
        "Valledupar": (10.46, -73.25),
        "Riohacha": (11.54, -72.91),
        "Tunja": (5.54, -73.36),
        "Yopal": (5.34, -72.39),
    },
    "ridgecrest": {
        "Ridgecrest": (35.62, -117.67),
        "Trona": (35.76, -117.37),
        "Inyokern": (35.65, -117.81),
        "China Lake": (35.66, -117.66),
        "Coso Junction": (36.04, -117.95),
        "Little Lake": (35.94, -117.91),
        "Randsburg": (35.37, -117.66),
        "Panamint Springs": (36.34, -117.47),
    },
}
DIRECTIONS = {
    "en": ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest"),
    "es": ("norte", "noreste", "este", "sureste", "sur", "suroeste", "oeste", "noroeste"),
}
# The grammar: a report is an opening, perhaps a depth, perhaps a size, perhaps what was felt, perhaps a remark.
OPENINGS = {
    "en": (
        "Epicenter {km} km {way} of {town}.",
        "Earthquake located {km} km {way} of {town}.",
        "{km} km {way} of {town}.",
    ),
    "es": (
        "Epicentro: a {km} km al {way} de {town}.",
        "Sismo localizado {km} km al {way} de {town}.",
        "{km} km al {way} de {town}.",
    ),
}
DEPTHS = {"en": ("Depth {depth} km.",), "es": ("Profundidad {depth} km.",)}
SIZES = {"en": ("Magnitude {magnitude}.",), "es": ("Magnitud {magnitude}.",)}
FEELINGS = {
    "en": ("Felt in {town}.", "Felt widely, in {town} and beyond."),
    "es": ("Evento sentido en {town}.", "Evento sentido ampliamente, en {town} y más lejos."),
}
REMARKS = {
    "en": {
        "deep_nest": ("Intermediate depth, from the nest.", "One of the nest's deep events."),
        "induced": ("Near injection wells, likely induced.", "Probably induced by wells of the field."),
        "offshore": ("Offshore, under the sea floor.", "At sea, off the coast."),
        "volcanic": ("Associated with the volcano.", "Volcano-tectonic, beneath the crater."),
        "quarry_blast": ("Probable quarry blast, in working hours.", "Explosion in a mine, at the surface."),
    },
    "es": {
        "deep_nest": ("Profundidad intermedia, del nido.", "Evento profundo del nido."),
        "induced": ("Cerca de pozos de inyección, posiblemente inducido.", "Inducido por los pozos del campo."),
        "offshore": ("En el mar, frente a la costa.", "Bajo el fondo del mar."),
        "volcanic": ("Evento asociado al volcán.", "Volcanotectónico, bajo el cráter."),
        "quarry_blast": ("Posible voladura de cantera, en horas de trabajo.", "Explosión de mina en superficie."),
    },
}
# What a reader asks for, in both languages; written before any result was seen, and in other words than the grammar's.
PROMPTS = {
    "colombia": {
        "tectonic": ("shallow crustal earthquake on a fault", "sismo superficial en la corteza, en una falla"),
        "deep_nest": ("deep earthquake under Santander", "sismo profundo bajo Santander, nido de Bucaramanga"),
        "induced": (
            "seismicity induced by oil fields near Puerto Gaitan",
            "sismicidad inducida, campos de petróleo del Meta",
        ),
        "offshore": (
            "earthquake in the Pacific Ocean or the Caribbean Sea",
            "sismo en el océano Pacífico o el mar Caribe",
        ),
        "volcanic": ("earthquake of a volcano", "sismo de un volcán"),
        "quarry_blast": ("explosion in a quarry or a coal mine", "explosión en una cantera o mina de carbón"),
    },
    "ridgecrest": {
        "tectonic": ("aftershock on the fault near Ridgecrest", "réplica en la falla cerca de Ridgecrest"),
        "induced": (
            "seismicity induced by a geothermal field near Coso",
            "sismicidad inducida, campo geotérmico de Coso",
        ),
        "volcanic": ("earthquake of a volcano", "sismo de un volcán"),
        "quarry_blast": ("explosion in a quarry near Trona", "explosión en una cantera cerca de Trona"),
    },
}
# General words of the Colombian bulletin; no article, for "LOS" alone would tell of Los Santos.
OBSERVED_WORDS = "epicentro evento sentido reportado repostado como area influencia volcan volcanico asociado feltinfo"
CALENDAR = """
enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
lunes martes miercoles jueves viernes sabado domingo
january february march april may june july august september october november december
monday tuesday wednesday thursday friday saturday sunday
"""


def event_classes(catalogue, network) -> pd.Series:
    """Class of each event, never from its text.

    A simulated event has the class of its zone. A real event has the class that the analyst flagged (`volcanic`,
    `quarry_blast`); else `deep_nest` or `induced`, if it is near the centre of such a zone of the network; else
    `offshore`, if it is beyond the coastline; else `tectonic`.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network

    Returns
    -------
    Series of str
        Indexed by `source_id`.
    """
    events = catalogue.events
    if catalogue.source == "simulated":
        return events.source_type
    classes = pd.Series("tectonic", events.index)
    classes[~_on_land(events, network.name)] = "offshore"
    east, north = network.to_local(events.source_latitude_deg, events.source_longitude_deg)
    for zone in network.zones:
        if zone.source_type in ("deep_nest", "induced"):
            at = network.to_local(zone.latitude, zone.longitude)
            near = np.hypot(east - at[0], north - at[1]) < ZONE_LENGTHS * zone.length_km
            classes[near & (np.abs(events.source_depth_km - zone.depth_km) < ZONE_DEPTH_KM)] = zone.source_type
    flagged = events.source_type.isin(CLASSES)
    classes[flagged] = events.source_type[flagged]
    return classes


def _on_land(events, name):
    land = shapely.unary_union([shape for _, shape in geography.geography(name).get("land", [])])
    if land.is_empty:
        return np.ones(len(events), bool)
    return shapely.contains_xy(land, events.source_longitude_deg, events.source_latitude_deg)


def templated(events, classes, network, random_state=0) -> pd.Series:
    """Reports of a catalogue's events, written by the grammar: half in English, half in Spanish.

    Parameters
    ----------
    events : DataFrame
        Events of a catalogue, see `seisbook.catalogues.catalogue`.
    classes : Series of str
        Class of each event, see `event_classes`.
    network : Network
        One whose towns are known.
    random_state : int

    Returns
    -------
    Series of str
        Indexed by `source_id`.

    Raises
    ------
    UserError
        If the network's towns are not known.
    """
    if network.name not in TOWNS:
        raise UserError(f"{network.name}: no towns to write reports with: choose one of {', '.join(TOWNS)}")
    rng = np.random.default_rng(random_state)
    slots = _slots(events, network)
    return pd.Series([_report(slot, kind, rng) for slot, kind in zip(slots, classes, strict=True)], events.index)


def nearest_town(events, network) -> list[str]:
    """Name of the town nearest to each epicentre."""
    return [slot["town"] for slot in _slots(events, network)]


def _slots(events, network):
    """What the grammar fills in for each event: nearest town, how far and which way from it, depth and magnitude."""
    towns = TOWNS[network.name]
    east, north = (
        np.asarray(axis) for axis in network.to_local(events.source_latitude_deg, events.source_longitude_deg)
    )
    places = np.column_stack(network.to_local(*np.array(list(towns.values())).T))
    offset = np.stack([east, north], -1)[:, None] - places
    distance = np.hypot(*np.moveaxis(offset, -1, 0))
    nearest = distance.argmin(1)
    rows = np.arange(len(events))
    azimuth = np.degrees(np.arctan2(offset[rows, nearest, 0], offset[rows, nearest, 1]))
    columns = zip(
        nearest, distance[rows, nearest], azimuth, events.source_depth_km, events.source_magnitude, strict=True
    )
    return [
        {
            "town": list(towns)[i],
            "km": f"{km:.0f}",
            "way": round(way / 45) % 8,
            "depth": f"{z:.0f}",
            "magnitude": f"{m:.1f}",
        }
        for i, km, way, z, m in columns
    ]


def _report(slot, kind, rng):
    language = ("en", "es")[rng.integers(2)]
    magnitude = float(slot["magnitude"])
    parts = [rng.choice(OPENINGS[language])]
    parts += [rng.choice(phrases[language]) for phrases in (DEPTHS, SIZES) if rng.random() < 0.5]
    if magnitude >= FELT:  # NaN is not
        parts.append(FEELINGS[language][int(magnitude >= FELT_WIDELY)])
    if kind in REMARKS[language] and rng.random() < REMARKED:
        parts.append(rng.choice(REMARKS[language][kind]))
    return " ".join(parts).format(**{**slot, "way": DIRECTIONS[language][slot["way"]]})


def mask(texts, level, kind) -> list[str]:
    """Take out of texts what could give the answer away.

    Parameters
    ----------
    texts : iterable of str
    level : {"none", "numbers", "places"}
        `numbers` takes out every word with a digit, and names of days and months. `places` also takes out every word
        that is not in a list of general ones: whatever names a place, a direction or a station is not in it.
    kind : {"observed", "templated"}

    Returns
    -------
    list of str
    """
    if level not in MASKS:
        raise UserError(f"no masking {level!r}: choose one of {', '.join(MASKS)}")
    if level == "none":
        return list(texts)
    kept = vocabulary(kind) if level == "places" else None
    return [_masked(text, kept) for text in texts]


def _masked(text, kept):
    words = [word for word in text.split() if not re.search(r"\d", word)]
    pieces = re.findall(r"[^\W\d_]+|[^\w\s]", " ".join(words))
    remaining = [piece for piece in pieces if piece.isalpha() and _is_kept(plain(piece), kept)]
    return " ".join(remaining)


def _is_kept(word, kept):
    return word not in CALENDAR.split() and (kept is None or word in kept)


def plain(word) -> str:
    """A word in lower case and without accents."""
    letters = unicodedata.normalize("NFKD", word.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def vocabulary(kind) -> frozenset:
    """General words, in lower case without accents: those of the grammar's sentences, or of what analysts write."""
    if kind == "observed":
        return frozenset(OBSERVED_WORDS.split())
    sentences = [
        phrase for part in (OPENINGS, DEPTHS, SIZES, FEELINGS) for phrases in part.values() for phrase in phrases
    ]
    sentences += [phrase for part in REMARKS.values() for phrases in part.values() for phrase in phrases]
    words = re.findall(r"[^\W\d_]+", re.sub(r"\{\w+\}", "", " ".join(sentences)))
    return frozenset(plain(word) for word in words)
