import pytest

from seisbook.catalogues.phases import wave_of

P = [
    "P",
    "Pn",
    "Pg",
    "Pb",
    "P*",
    "p",
    "PG",
    "iP",
    "eP",
    "EPn",
    "qP",
    "IPU0",
    "EPD2",
    "iPg",
    "IPN0",
    "EP 1",
    "P  2",
    " P ",
]
S = ["S", "Sn", "Sg", "Sb", "S*", "s", "eS", "ISG", "ES 3", "S  0", "ES2", "iSn"]
NEITHER = ["PcP", "pP", "sP", "PmP", "PKP", "PKIKP", "PKiKP", "Pdiff", "PP", "PS", "SP", "SS", "ScS", "sS", "pS", "SKS"]
NEITHER += [
    "SmS",
    "Lg",
    "LQ",
    "LR",
    "Rg",
    "T",
    "PGA",
    "PGV",
    "PGD",
    "P2",
    "IAML",
    "AML",
    "E",
    "I",
    "ePP",
    "eSS",
    "P'P'",
    "",
    None,
]


@pytest.mark.parametrize("name", P)
def test_first_arrivals_of_p(name):
    assert wave_of(name) == "p"


@pytest.mark.parametrize("name", S)
def test_first_arrivals_of_s(name):
    assert wave_of(name) == "s"


@pytest.mark.parametrize("name", NEITHER)
def test_other_phases_are_no_first_arrivals(name):
    assert wave_of(name) is None
