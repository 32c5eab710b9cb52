"""Amplitudes in bulletins: which of them are a Wood-Anderson seismometer's, and how large they are in nm.

Local magnitude rests on the displacement of the ground as a Wood-Anderson seismometer records it, at periods around its
own 0.8 s. Bulletins hold other amplitudes as well: of surface waves at 20 s (MS, IAMs_20), of body waves (mb), and
durations (END). The type and the unit together say what a number is; neither does alone.

==============  =========================================================================
type            what it is
==============  =========================================================================
IAML            displacement of the ground, the IASPEI standard for local magnitude
AML, ML, AL     the same; in mm it is the trace of the seismometer, 2080 times as large
MLv, MLh        SeisComP's names for the trace on the vertical and the horizontals
A, or none      some amplitude; taken at a Wood-Anderson seismometer's periods
==============  =========================================================================
"""

from lxml import etree

GROUND = {"IAML", "A", ""}
TRACE = {"AML", "ML", "AL", "MLV", "MLH"}
NM = {"m": 1e9, "mm": 1e6, "um": 1e3, "nm": 1.0}
WOOD_ANDERSON_GAIN = 2080
"""Magnification of the seismometer, as the IASPEI standard has it."""
LONGEST_PERIOD_S = 5.0
"""The seismometer hardly sees longer ones; the longest among 14,000 readings of the Colombian bulletins is 4.7 s."""
DURATION = "END"


def displacement_nm(kind, unit, value, period_s=None) -> tuple[float | None, str]:
    """Peak displacement of the ground in the Wood-Anderson band.

    Parameters
    ----------
    kind, unit : str or None
        As the file has them.
    value : float or None
    period_s : float or None

    Returns
    -------
    value : float or None
        nm; None if it is no such amplitude.
    reason : str
        Why it is none; else empty.
    """
    kind, unit = (kind or "").strip().upper(), (unit or "").strip()
    if kind not in GROUND | TRACE:
        return None, "of a type that is not a Wood-Anderson seismometer's"
    if period_s is not None and period_s > LONGEST_PERIOD_S:
        return None, f"of a period above {LONGEST_PERIOD_S:g} s, which is not a Wood-Anderson seismometer's"
    if unit not in NM:
        return None, "without a known unit of length"
    if value is None or not value > 0:
        return None, "without a value above zero"
    is_trace = kind in TRACE and unit == "mm"
    return value * NM[unit] / (WOOD_ANDERSON_GAIN if is_trace else 1), ""


def stated_units(path) -> dict[str, str]:
    """Units of the amplitudes of a QuakeML or SCML file, as they are written there.

    QuakeML knows no mm and nm, and ObsPy reads such a unit as none; programs write them nevertheless.

    Returns
    -------
    dict of str to str
        By the amplitude's `publicID`.
    """
    units = {}
    for _, amplitude in etree.iterparse(str(path), tag="{*}amplitude", resolve_entities=False):
        unit = amplitude.findtext("{*}unit")
        if unit and amplitude.get("publicID"):
            units[amplitude.get("publicID")] = unit.strip()
        amplitude.clear()
    return units
