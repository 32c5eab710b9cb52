import pickle

import pytest

from seisbook.errors import DataError, UserError, one_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a.csv:3: no latitude", "a.csv:3: no latitude"),
        ("Fómeque, 北京: moved", "Fómeque, 北京: moved"),
        ("two\nlines\r\tand more", "two lines  and more"),
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("a\0b", r"a\x00b"),
        ("right\u202eleft", r"right\u202eleft"),
        ("\udcff.csv", r"\udcff.csv"),
    ],
)
def test_messages_are_one_printable_line(text, shown):
    for kind in (UserError, DataError):
        error = kind(text)
        assert str(error) == shown
        assert str(pickle.loads(pickle.dumps(error))) == shown  # as from a worker process


def test_long_messages_keep_their_start_and_their_remedy():
    shown = one_line(f"a.csv: {'9' * 5000}: correct the line")
    assert len(shown) == 1500
    assert shown.startswith("a.csv: 9")
    assert shown.endswith("9: correct the line")
