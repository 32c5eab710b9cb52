"""A sample of the campaign, in a copy of the project, and the campaign's own judgement."""

import os
import signal
import sys
import time

import pytest

from seisbook.errors import DataError
from tests.torture import mutations
from tests.torture.__main__ import SAMPLE, campaign, complaints, table
from tests.torture.outcome import Tally, fault_of_message, in_child

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the campaign needs Linux's processes"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def sample():
    """All parts in one process, which loads the library once."""
    return campaign(SAMPLE)


@pytest.mark.parametrize("part", SAMPLE)
def test_nothing_is_bad_in_a_sample(part, sample):
    found = {part: sample[part]}
    assert complaints(found) == [], table(found)
    assert sum(tally.tried for tally in found[part]) >= min(SAMPLE[part], 20)


def refuse(text):
    raise DataError(text)


@pytest.mark.parametrize(
    ("work", "complaint"),
    [
        (lambda: None, ""),
        (lambda: "another result", "another result"),
        (lambda: refuse("a.csv:3: no latitude: correct the line"), ""),
        (lambda: refuse("no latitude"), "a message that names no file"),
        (lambda: {}["key"], "KeyError at test_torture.py"),
    ],
)
def test_an_attempt_is_fine_refused_or_bad(work, complaint):
    tally = Tally("made up")
    tally.attempt("one", work, ("a.csv",))
    assert (tally.tried, tally.n_bad) == (1, bool(complaint))
    assert next(iter(tally.bad), "").startswith(complaint)
    assert Tally.of(tally.content()) == tally


def test_what_hangs_is_bad(monkeypatch):
    monkeypatch.setattr("tests.torture.outcome.deadline.__wrapped__.__defaults__", (0.05,))
    tally = Tally("made up")
    tally.attempt("one", lambda: [None for _ in iter(int, 1)])
    assert list(tally.bad) == ["longer than 10 s"]


def test_messages_are_short_and_printable():
    assert fault_of_message("a.csv: no latitude") == ""
    assert fault_of_message("") == "refused without a message"
    assert fault_of_message("a.csv:\nno latitude") == "a message with control characters or of several lines"
    assert "control characters" in fault_of_message("a\x1b[2J")
    assert "more than" in fault_of_message("a" * 5000)


def test_a_process_answers_ends_badly_or_takes_too_long(tmp_path):
    said = tmp_path / "said"
    assert in_child(lambda: {"n": 1}, said) == ({"n": 1}, 0)
    assert in_child(lambda: 1 / 0, said) == (None, 70)
    assert "ZeroDivisionError" in said.read_text()
    assert in_child(lambda: os.kill(os.getpid(), signal.SIGKILL), said) == (None, -signal.SIGKILL)
    assert in_child(lambda: time.sleep(60), said, seconds=0.1) == (None, -signal.SIGXCPU)
    value, code = in_child(lambda: len(bytes(1 << 28)), said, memory=1 << 26)
    assert (value, code) == (None, 70)
    assert "MemoryError" in said.read_text()


def test_damage_is_the_same_each_time():
    def drawn():
        found = []
        mutations.seeded(40, mutations.DAMAGE)(lambda steps: found.append(tuple(steps)))()
        return found

    seen = [drawn(), drawn()]
    assert seen[0] == seen[1]
    whole = b"code,latitude\nAAAA,4.5\n"
    assert len({mutations.damaged(whole, steps) for steps in seen[0]}) > 20


def test_each_step_of_damage_changes_something_and_takes_nothing_for_granted():
    for step in mutations.STEPS:
        assert step(b"a 1.5\nb 2.5\nc 3.5\n", 3, 4, b"NaN") != b"a 1.5\nb 2.5\nc 3.5\n"
        assert isinstance(step(b"", 3, 4, b"NaN"), bytes)
