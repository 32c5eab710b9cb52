"""Station files as observatories have them; what is damaged or ambiguous is refused or said."""

import pytest

from seisbook.catalogues.stations import read_stations
from seisbook.errors import DataError

HEADER = "code,latitude,longitude,elevation_m\n"


@pytest.fixture
def read(tmp_path):
    """Write a station file and read it: (network, code, latitude, longitude, elevation) of each station, remarks."""

    def read(content, name="stations.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        remarks = []
        stations = read_stations(path, remarks)
        return [(s.network, s.code, s.latitude, s.longitude, s.elevation_m) for s in stations], remarks

    return read


# ------------------------------------------------------------------------------------------------------- fixed columns


def test_seisan_high_accuracy_and_other_minutes(read):
    stations, remarks = read(
        "RESET TEST(02)=500.0\n\n"
        "  HIG 1230500S 7045123W1250\n"  # MM.mmm without the point
        "  LOW 1230.50S 7045.12W  20\n"
        " FIVES 130250N  005500E-120\n"
        "  ONE 011.500N0100.050E  10\n\n"  # with the point one column to the left
        "  5.0   0.0\n  8.0  30.0\n\n"
        "  NOT 1230.50S 7045.12W  20\n",  # after the velocity model
        "STATION0.HYP",
    )
    assert [row[1:] for row in stations] == [
        ("HIG", -12.508333, -70.75205, 1250),
        ("LOW", -12.508333, -70.752, 20),
        ("FIVES", 1.504167, 0.091667, -120),
        ("ONE", 1.025, 10.000833, 10),
    ]
    assert remarks == []


@pytest.mark.parametrize(
    "line",
    [
        "  BBB 1230.50S 7045.12W  -",  # no digit after the sign
        "  BBB 1230.50S 7045.12W12345",
        "  BBB 1230.50S7 045.12W  20",  # a blank within the degrees
        "  BBB 12x0.50S 7045.12W  20",
        "  BBB 1230.50  7045.12   20",  # no hemispheres
        "  BBB1230.50S 7045.12W  20",  # one column to the left
        "  BBB 1230.5OS 7045.12W  20",  # a letter O
    ],
)
def test_a_damaged_seisan_line_is_named(read, line):
    with pytest.raises(DataError, match=r"STATION0\.HYP:2: not a SEISAN station line.*correct the line"):
        read(f"  AAA 1230.50S 7045.12W  20\n{line}\n", "STATION0.HYP")


def test_hypo71_stations_are_known_by_their_columns(read):
    text = "  SR013802.50N12204.10W 100     0.10\n  SR02 3 1.25S  5 7.50E  20\n"
    assert read(text)[0] == [("", "SR01", 38.041667, -122.068333, 100), ("", "SR02", -3.020833, 5.125, 20)]


def test_hypoinverse_stations(read):
    text = (
        "KTA   NC  VHZ  37 30.5000N122 15.2500W 4121.0  P  0.00\n"
        "KTB   NC  VHZ  37 30.5000 122 15.2500 14121.0\n"  # blank hemispheres: north and west
        "KTC   NC  VHZ  37 30.5000S122 15.2500E -201.0\n"
    )
    stations, remarks = read(text)
    assert stations == [
        ("NC", "KTA", 37.508333, -122.254167, 412),
        ("NC", "KTB", 37.508333, -122.254167, 1412),
        ("NC", "KTC", -37.508333, 122.254167, -20),
    ]
    assert remarks == []
    stations, remarks = read(text + "KTD   NC  VHZ  37 30.5000N122 15.2500W\n")
    assert stations[-1][-1] == 0
    assert remarks[0].endswith(":4: 1 stations have no elevation: 0 m is taken")
    with pytest.raises(DataError, match=r"stations\.txt:4: not a Hypoinverse station line"):
        read(text + "KTD   NC  VHZ  37 3o.5000N122 15.2500W\n")


# -------------------------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize(
    "text",
    [
        "code;latitude;longitude;elevation_m\nAAA;-33,5;-70,25;1250,5\n",  # decimal commas
        "code\tlatitude\tlongitude\televation_m\nAAA\t-33.5\t-70.25\t1250.5\n",
        "code|latitude|longitude|elevation_m\nAAA|-33.5|-70.25|1250.5\n",
        "code  latitude longitude   elevation_m\nAAA   -33.5  -70.25  1250.5\n",
        "# code latitude longitude elevation_m\nAAA -33.5 -70.25 1250.5\n",
        "# our stations\n\nAAA -33.5 -70.25 1250.5\n",
        "AAA,-33.5,-70.25,1250.5\n",
        "AAA -33:30 -70:15.0 1250.5\n",  # HypoDD's degrees and minutes
        "AAA,-33.5,289.75,1250.5\n",
        "name,longitude,station_latitude_deg,elevation (m a.s.l.),station_code\nTown,-70.25,-33.5,1250.5,AAA\n",
        "Station,Latitude,Longitude,Elevation [km],SiteName\nAAA,-33.5,-70.25,1.2505,Town\n",
        "code,lat,lon,elevation,name\r\nAAA,-33.5,-70.25,1250.5,\x85 \x1c\x0c\r\n",  # no ends of lines
        'code,lat,lon,elevation,name\nAAA,-33.5,-70.25,1250.5,"the old one\n',
        "\ufeffcode,lat,lon,elevation\rAAA,-33.5,-70.25,1250.5\r",
    ],
)
def test_dialects_of_tables(read, text):
    assert read(text) == ([("", "AAA", -33.5, -70.25, 1250.5)], [])


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-16", "utf-8-sig"])
def test_an_accent_in_a_column_that_nobody_needs(read, encoding):
    text = "code,latitude,longitude,elevation_m,name\nAAA,1,2,3,Volcán\nBBB,2,2,3,Ñuñoa\n"
    assert [row[1] for row in read(text.encode(encoding))[0]] == ["AAA", "BBB"]


@pytest.mark.parametrize(
    "text",
    [
        "#Network|Station|Latitude|Longitude|Elevation|SiteName|StartTime|EndTime\n"
        'GE|APE|37.07|25.53|4.25|Naxos, "Greece"|1996-01-01T00:00:00|\nGE|BBB|37.1|25.5|5.0|Other|1996-01-01|\n',
        "#Network | Station | Location | Channel | Latitude | Longitude | Elevation | Depth\n\n#DATACENTER=X\n"
        "GE|APE||BHZ|37.07|25.53|4.25|0\nGE|APE||BHN|37.07|25.53|4.25|0\nGE|BBB|10|HHZ|37.1|25.5|5.0|0\n",
        "GE|APE|37.07|25.53|4.25|Naxos|1996-01-01T00:00:00|\nGE|BBB|37.1|25.5|5.0|Other|1996-01-01|\n",
    ],
)
def test_fdsn_text_is_in_metres(read, text):
    assert read(text) == ([("GE", "APE", 37.07, 25.53, 4.25), ("GE", "BBB", 37.1, 25.5, 5.0)], [])


def test_a_station_file_of_hypodd_without_elevations(read):
    stations, remarks = read("NCAAA 37.5 -122.5\nNCBBB 37.6 -122.6\n", "station.dat")
    assert stations == [("", "NCAAA", 37.5, -122.5, 0), ("", "NCBBB", 37.6, -122.6, 0)]
    assert "station.dat: no column of elevations: 0 m is taken" in remarks[0]


def test_codes_with_network_location_and_channel(read):
    stations, remarks = read(HEADER + "XX.AAA.00.HHZ,1,2,30\nXX.AAA.00.HHN,1,2,30\nXX.BBB..EHZ,2,2,30\nYY.CCC,3,2,30\n")
    assert [row[:2] for row in stations] == [("XX", "AAA"), ("XX", "BBB"), ("YY", "CCC")]
    assert remarks == []
    stations, _ = read("net,sta,lat,lon,elevation_m\nXX,AAA,1,2,30\n,BBB,1,3,30\n")
    assert [row[:2] for row in stations] == [("XX", "AAA"), ("", "BBB")]
    assert read("XX 1234 1.5 2.5 30\n")[0] == [("XX", "1234", 1.5, 2.5, 30)]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "=cmd",
        "@SUM(1)",
        "../../up",
        "</script>",
        "TOOLONGACODE",
        "A.B.C.D.E",
        "12.0",
        "A B",
        "Ñ",
        "A\x00",
        "XX.",
        "$x^2$",
    ],
)
def test_what_is_no_code_is_refused(read, code):
    with pytest.raises(DataError, match=r"stations\.txt:3: .*code") as caught:
        read(HEADER + f"AAA,1,2,3\n{code},1,2,3\n")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + "AAA,1,2,inf\n", ":2: expected"),
        (HEADER + "AAA,nan,2,3\n", ":2: expected"),
        (HEADER + "AAA,1_0,2,3\n", ":2: expected"),
        (HEADER + "AAA,1,2,\n", ":2: expected"),
        (HEADER + "AAA,1,2,3\nBBB;1;2;3\n", ":3: expected"),
        (HEADER + f"AAA,1,2,3,{'x' * 140_000}\n", ":2: field larger than field limit"),
        (HEADER + "AAA,1,2,12000\n", ":2: elevation 12000 m is not on Earth"),
        (HEADER + "AAA,1,-190,3\n", ":2: code 'AAA', latitude 1, longitude -190"),
        ("code,lat,lon,elevation_ft\nAAA,1,2,3\n", ":1: no column for elevation"),
        ("GTSRCE AAA LATLON 46.0 7.0 0.0 0.5\n", ":1: no column for"),  # NonLinLoc: depth, then km
        ("Santiago AAA -33.5 -70.25 1250.5\n", ":1: no column for"),  # a name is no network
        ("\x00\x01\x02" * 100, ":1: no column for"),
        ("# nothing\n\n", ": no station found"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(read, text, said):
    with pytest.raises(DataError, match=r"stations\.txt" + said) as caught:
        read(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


# --------------------------------------------------------------------------------------------------- units and networks


@pytest.mark.parametrize(
    ("header", "values", "first", "said"),
    [
        ("elevation", ("2", "8"), 2, "metres"),  # a coast
        ("elevation", ("2.5", "8.0"), 2.5, "metres"),
        ("Elevation", ("0.512", "2.25"), 512, "kilometres"),
        ("elev", ("1.25", "2400"), 1.25, ""),
        ("Elevation", ("0", "0"), 0, ""),
        ("elevation_m", ("0.512", "2.25"), 0.512, ""),
        ("Elevation (km)", ("2", "4"), 2000, ""),
        ("alt[m]", ("2", "4"), 2, ""),
    ],
)
def test_the_unit_of_elevations(read, header, values, first, said):
    rows = "".join(f"S{i},{i},2,{value}\n" for i, value in enumerate(values))
    stations, remarks = read(f"code,lat,lon,{header}\n{rows}")
    assert stations[0][-1] == pytest.approx(first)
    assert len(remarks) == bool(said)
    if said:
        assert f"stations.txt: elevations are taken for {said}:" in remarks[0]


def test_one_code_in_two_networks_far_apart_is_refused(read):
    with pytest.raises(DataError, match=r"txt:3: station AAA of network 'YY' is \d+ km from .* 'XX' in line 2"):
        read(HEADER + "XX.AAA,10,20,30\nYY.AAA,11,20,30\n")


def test_one_site_of_two_networks_is_one_station(read):
    stations, remarks = read(HEADER + "XX.AAA,10,20,30\nYY.AAA,10,20.001,30\n")
    assert len(stations) == 1
    assert "stations.txt:3: station AAA moves from its place in line 2, 0.1 km away" in remarks[0]


def test_an_inventory_of_seiscomp(read):
    start = "<start>2000-01-01T00:00:00.0000Z</start>"
    place = "<latitude>-4.5</latitude><longitude>-74</longitude><elevation>5.25</elevation>"
    stations, remarks = read(
        '<seiscomp xmlns="http://geofon.gfz-potsdam.de/ns/seiscomp3-schema/0.11" version="0.11"><Inventory>'
        f'<network publicID="n" code="CM">{start}<station publicID="s" code="AAA">{start}{place}</station></network>'
        "</Inventory></seiscomp>",
        "inventory.scml",
    )
    assert (stations, remarks) == ([("CM", "AAA", -4.5, -74, 5.25)], [])
