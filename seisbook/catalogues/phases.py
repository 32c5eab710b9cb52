"""Names of seismic phases: which of them are direct P or S waves at local and regional distance.

A dataset has one P and one S onset a station. They are the first arrivals, whichever path these take:

======================  ===========================================  ================================
counts as P             P, Pn, Pg, Pb, P*                            S: S, Sn, Sg, Sb, S*
with HYPO71's remarks   iP, eP, EPn, IPU0, EPD2, `EP 1`, `P  2`      iS, eSg, `ES 3`
does not count          PcP, pP, sP, PmP, PKP, Pdiff, PP, PS         ScS, sS, SKS, SmS, SS, Lg, T, PGA
======================  ===========================================  ================================

The case of letters does not matter but for the depth phases: pP and sP are reflections above the source.
"""

import re

DIRECT = re.compile(
    r"""
    (?:[ieq](?=[psPS]))?     # onset: impulsive, emergent, questionable
    (?P<wave>[ps])           # the wave
    [ngb*]?                  # its path: mantle, upper crust, lower crust
    (?:                      # HYPO71's four columns: also a first motion, a weight, or both
        (?<=^[ieq].) [cdu+\-._?\s]* [0-4]?
        | (?<=^[ieq]..) [cdu+\-._?\s]* [0-4]?
        | \s+ [0-4]
    )?
    """,
    re.VERBOSE | re.IGNORECASE,
)


def wave_of(name) -> str | None:
    """Which first arrival a phase name means.

    Parameters
    ----------
    name : str or None

    Returns
    -------
    {"p", "s"} or None
        None if it is neither, or there is no name.
    """
    match = DIRECT.fullmatch((name or "").strip())
    return match["wave"].lower() if match else None
