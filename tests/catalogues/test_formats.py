"""Files are read in formats from a list, and never unpickled."""

import pickle
from pathlib import Path

import numpy as np
import obspy
import pytest

from seisbook.catalogues import bulletins, formats
from seisbook.datasets import build, waveforms
from seisbook.errors import DataError


class Command:
    """What unpickling it does."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def hostile(tmp_path):
    """A pickle that ObsPy takes for one of its own, and the file that appears when it is unpickled."""
    mark, path = tmp_path / "harmed", tmp_path / "stream.pickle"
    path.write_bytes(pickle.dumps(("obspy.core.stream", Command(mark))))
    return path, mark


def test_obspy_itself_would_unpickle_it(hostile):
    path, mark = hostile
    with pytest.raises(Exception, match=r".*"):
        obspy.read(str(path))
    assert mark.exists(), "the file is harmless, and the test shows nothing"


READERS = [waveforms.read_stream, lambda path: bulletins.read_catalogue(path, "test"), build._read_inventory]


@pytest.mark.parametrize("reader", READERS)
def test_nothing_is_unpickled(hostile, reader):
    path, mark = hostile
    with pytest.raises(DataError, match=r"stream\.pickle"):
        reader(path)
    assert not mark.exists()


ENTITIES = {
    "a few lines that stand for gigabytes": '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
    "another file": '<!ENTITY a SYSTEM "file:///etc/hostname">',
    "another file of entities": '<!ENTITY % a SYSTEM "http://localhost/a.dtd"> %a;',
    "none yet": "",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
@pytest.mark.parametrize("kind", ENTITIES)
def test_xml_that_may_define_entities_is_refused(tmp_path, kind, encoding):
    path = tmp_path / "hostile.xml"
    text = f'<?xml version="1.0" encoding="{encoding}"?>\n<!-- x -->\n<!DOCTYPE q [{ENTITIES[kind]}]>\n<q>&a;</q>'
    path.write_bytes(text.encode(encoding))
    for reader in (lambda one: bulletins.read_catalogue(one, "test"), build._read_inventory):
        with pytest.raises(
            DataError, match=r"hostile\.xml: .*document type \(<!DOCTYPE>\), which may hide entities"
        ) as info:
            reader(path)
        assert "\n" not in str(info.value)


@pytest.mark.parametrize("encoding", ["utf-7", "ebcdic-cp-us", "x-unheard-of"])
def test_xml_in_an_unknown_encoding_is_refused(tmp_path, encoding):
    path = tmp_path / "odd.xml"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?>\n<!DOCTYPE q [<!ENTITY a "b">]><q>&a;</q>')
    with pytest.raises(DataError, match="save it as UTF-8"):
        formats.format_of(path, "event")


def test_pickle_is_in_no_list():
    assert not any("PICKLE" in names for names in formats.FORMATS.values())


@pytest.mark.parametrize("name", ["MSEED", "SAC", "GSE2", "SLIST"])
def test_common_formats_are_recognised_and_read(tmp_path, name):
    data = np.arange(200, dtype="int32" if name != "SAC" else "float32")
    trace = obspy.Trace(data, {"sampling_rate": 50.0, "station": "ONE", "channel": "HHZ"})
    path = tmp_path / "trace"
    trace.write(str(path), format=name)
    assert formats.format_of(path, "waveform") == name
    np.testing.assert_array_equal(formats.read_file(path, "waveform")[0].data, data)


def test_a_file_of_no_known_format_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("nothing seismic")
    with pytest.raises(DataError, match="in none of the waveform formats"):
        formats.format_of(path, "waveform")
