"""Lines of a made-up NORDIC event."""

from seisbook.catalogues import nordic

TITLES = nordic.PHASE_HEADER


def header(
    time="2020  3 5 1010 30.5", kind="L ", place="  4.500 -74.250 12.5", magnitude=" 2.3LTST", number="20200305101030"
):
    """Type 1, E and I lines of a made-up event."""
    line = f" {time} {kind}{place}  TST  5 0.4{magnitude}".ljust(79) + "1"
    errors = " GAP=120        0.90       2.5     3.5  4.5  0.1000E+01  0.1000E+01  0.1000E+01E"
    action = f" ACTION:NEW 20-03-05 12:00 OP:tst  STATUS:               ID:{number} L   I"
    return [line, errors, action]


def pick(station="AAAA", phase="EP", hour=10, minute=10, second=35.25, **kept):
    """A line of readings in the old NORDIC format."""
    k = {
        "component": "HZ",
        "weight": " ",
        "polarity": " ",
        "amplitude": "",
        "period": "",
        "residual": "",
        "km": "40.0",
    } | kept
    return (
        f" {station:<5}{k['component']} {phase:<5}{k['weight']} {k['polarity']} {hour:2d}{minute:2d}{second:6.2f}     "
        f"{k['amplitude']:>7} {k['period']:>4}".ljust(63)
        + f"{k['residual']:>5}10{k['km']:>5}  90 "
    )


def text(line):
    return f" {line}".ljust(79) + "3"
