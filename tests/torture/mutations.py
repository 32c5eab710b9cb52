"""Damaged inputs: bytes flipped, lost, doubled and replaced, by Hypothesis, for every reader and the command line."""

import contextlib
import io
import os
import re
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from seisbook import cli
from tests.torture import examples
from tests.torture.outcome import Refusal, Tally, in_child

NUMBER = re.compile(rb"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
FIELD = re.compile(rb"[^\s,;|<>\"=]+")
TOKENS = [
    *(b"NaN", b"inf", b"-inf", b"1e999", b"-1", b"0", b"99999", b"-999.9", b"1e300", b"9" * 400, b"0x1F", b"1_000"),
    *(b"\0", b"\xef\xbb\xbf", b"\x85", b"\x0b", b"\x0c", b"\x1c", b"\x01", b"\x1b[2J", b"\r", b"\n", b"\n\n", b"\t"),
    *(b"\xff\xfe", b"\xe9", "٣".encode(), "é".encode(), "\u2028".encode(), "\u202e".encode(), b"\xed\xa0\x80"),
    *(b"1600-01-01T00:00:00Z", b"2500-13-45T99:99:99Z", b"9999-12-31T23:59:60Z", b"0000-00-00", b"-1-01-01T00:00:00"),
    *(b",", b";", b'"', b"'", b"{", b"}", b"[", b"]", b"<", b">", b"&", b"&x;", b"<!--", b"%", b"=", b"|", b"\\", b"/"),
    *(b"null", b"true", b"~", b"- ", b": ", b"!!python/name:os.system", b"*a", b"&a [*a]", b"<<: 1", b"{}", b"[]"),
    *(b" " * 80, b"A" * 200_000, b"../../x", b"P" * 9, b"S", b"#", b"2020-03-05T10:10:30Z"),
]


def _at(content, place):
    return place % (len(content) + 1)


def flip(content, place, size, token):
    i = place % max(1, len(content))
    return content[:i] + bytes([content[i] ^ (1 << size % 8)]) + content[i + 1 :] if content else b""


def cut(content, place, size, token):
    return content[: _at(content, place)]


def lose(content, place, size, token):
    i = _at(content, place)
    return content[:i] + content[i + size :]


def zero(content, place, size, token):
    i = _at(content, place)
    return content[:i] + bytes(min(size, len(content) - i)) + content[i + size :]


def insert(content, place, size, token):
    i = _at(content, place)
    return content[:i] + token + content[i:]


def overwrite(content, place, size, token):
    i = _at(content, place)
    return content[:i] + token + content[i + len(token) :]


def _replace(pattern):
    def replace(content, place, size, token):
        found = list(pattern.finditer(content))
        if not found:
            return content + token
        one = found[place % len(found)]
        return content[: one.start()] + token + content[one.end() :]

    return replace


def lines(content, place, size, token):
    """Lose, double or swap a line."""
    parts = content.splitlines(keepends=True) or [b""]
    i, j = place % len(parts), (place + 1 + size) % len(parts)
    if size % 3 == 0:
        return b"".join(parts[:i] + parts[i + 1 :])
    if size % 3 == 1:
        return b"".join(parts[: i + 1] + parts[i:])
    parts[i], parts[j] = parts[j], parts[i]
    return b"".join(parts)


def encode(content, place, size, token):
    """Write it in another encoding, or with other ends of lines."""
    text = content.decode("latin-1")
    kinds = ("utf-16", "utf-8-sig", "utf-32", "cp500")
    return content.replace(b"\n", b"\r\n") if size % 5 == 4 else text.encode(kinds[size % 5], "replace")


STEPS = [
    *(flip, cut, lose, zero, insert, overwrite, lines, encode),
    *(_replace(NUMBER), _replace(NUMBER), _replace(FIELD), _replace(FIELD)),
]
STEP = st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, 1 << 20), st.integers(1, 64), st.sampled_from(TOKENS))
DAMAGE = st.lists(STEP, min_size=1, max_size=3)


def damaged(content: bytes, steps) -> bytes:
    """The content after these steps."""
    for step, place, size, token in steps:
        content = STEPS[step](content, place, size, token)
    return content


def seeded(n, strategy):
    """A decorator that calls a function with so many drawn values, the same ones each time, and keeps no database."""

    def decorate(test):
        quiet = settings(
            max_examples=n,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        return quiet(given(strategy)(test))

    return decorate


# ------------------------------------------------------------------------------------------------------------- readers


def read_damaged(example, n) -> Tally:
    """Read so many damaged versions of an example."""
    tally, whole = Tally(example.name), example.path.read_bytes()
    tally.attempt("undamaged", example.read, example.names)
    if tally.refused:
        tally.blame("undamaged", "a sound input is refused")

    @seeded(n, DAMAGE)
    def read(steps):
        example.path.write_bytes(damaged(whole, steps))
        tally.attempt(_said(steps), example.read, example.names)

    try:
        read()
    finally:
        example.path.write_bytes(whole)
    return tally


def _said(steps):
    return "; ".join(f"{STEPS[step].__name__} {place} {size} {token[:20]!r}" for step, place, size, token in steps)


# -------------------------------------------------------------------------------------------------------- command line

WORDS = [
    *("", " ", "-", "--", "nan", "1e999", "9" * 5000, "-1", "0", "٣", "a\0b", "a\nb", "\x1b[2J", "é", "\udcff"),
    *(
        "x" * 300,
        "/dev/null",
        "/dev/null/x",
        "/proc/self/mem",
        "missing",
        "missing.yaml",
        "../missing",
        "~",
        "*",
        "[a]",
    ),
    *("$(touch canary)", ";touch canary", "`touch canary`", "|touch canary", "2001-99-01", "null", "[", "{a: b}"),
    *("!!python/name:os.system", "colombia", "iceland", "small.yaml", "set", "plain.txt", "dynamic", "classical"),
]
RECORDED = ("data", "build", "--network", "small.yaml", "--source", "waveform", "--catalogue", "archive.out")
COMMANDS = [
    ("data", "build", "--network", None, "--source", "simulated", "--events", "2", "--out", "new"),
    ("data", "build", "--network", "small.yaml", "--source", None, "--events", "2", "--out", "new"),
    ("data", "build", "--network", "small.yaml", "--source", "simulated", "--events", "2", "--out", None),
    (
        "data",
        "build",
        "--network",
        "small.yaml",
        "--source",
        "simulated",
        "--events",
        "2",
        "--seed",
        None,
        "--out",
        "n",
    ),
    ("data", "build", "--network", "small.yaml", "--source", "bulletin", "--catalogue", None, "--out", "new"),
    (*RECORDED, "--waveforms", None, "--out", "new"),
    (*RECORDED, "--waveforms", "archive", "--inventory", None, "--out", "new"),
    ("data", "info", None),
    ("data", "fetch", "--network", None),
    ("evaluate", None),
    ("evaluate", "models/small-dynamic", "--dataset", None),
    ("evaluate", None, "--dataset", "set"),
    ("train", "--model", None, "--network", "missing"),
    ("train", "--model", "dynamic", "--network", "missing", "--fold", None),
    ("study", "status", None, "--network", "colombia"),
    ("study", "status", "ablations", "--profile", "quick", "--network", None),
    ("results", "--record", None),
    ("results", "--verify", None),
    ("results", "--profile", None),
    ("claims", None),
    ("ask", None, "--network", "missing"),
    ("ask", "near", "--network", None, "--events", "2"),
    ("book", "run", "--chapter", None, "-p", "nothing", "1"),
    ("book", "run", "--chapter", "01", "-p", None, "1"),
    ("book", "publish", "--chapter", None),
    ("book", "build", "--to", None),
    ("workshop", None),
    (None,),
]


def type_nonsense(folder, n) -> Tally:
    """Give the command line so many words that do not belong there, from within a folder of sound inputs."""
    tally = Tally("command line")
    (folder / "plain.txt").write_text("not a dataset\n")
    words = st.one_of(st.sampled_from(WORDS), st.text(st.characters(exclude_categories=()), max_size=12))
    os.chdir(folder)

    @seeded(n, st.tuples(st.sampled_from(COMMANDS), words, st.booleans()))
    def say(drawn):
        command, word, twice = drawn
        argv = [word if part is None else part for part in command] + [word] * (twice and len(command) > 1)
        tally.attempt(argv, lambda: ended(argv))

    say()
    if (folder / "canary").exists():
        tally.blame("all", "a word of the command line was carried out")
    return tally


def ended(argv) -> str | None:
    """What is wrong with how the command line ends; raises a refusal as the reader does whose message it prints."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = cli.main(argv)
        except SystemExit as stop:
            code = stop.code
    text = said.getvalue()
    if "Traceback" in text:
        return "a traceback"
    if not code:
        return None
    lines = [line for line in re.split(r"[\r\n]", text) if line.strip()]
    if not lines:
        return None if argv and argv[0] in ("results", "claims") else "ended badly without a word"
    last = lines[-1]
    if not re.match(r"(seisbook|WARNING|INFO)", last):
        return "the last line is not the command line's own"
    if "seisbook: unexpected " in text:
        return f"an error that nobody foresaw: {last[21:80]}"
    raise Refusal(last)


# ------------------------------------------------------------------------------------------------------------ campaign


def campaign(folder: Path, n: int, progress=print) -> list[Tally]:
    """Read `n` damaged inputs in all, an equal number of each kind; every kind in a process of its own."""
    made = examples.examples(folder)
    each = -(-n // (len(made) + 2))
    tallies = [_alone(one.name, lambda one=one: read_damaged(one, each), folder, each, progress) for one in made]
    last = _alone("command line", lambda: type_nonsense(folder, 2 * each), folder, 2 * each, progress)
    return [*tallies, last]


def _alone(name, work, folder, n, progress):
    output = folder / "printed"
    content, code = in_child(lambda: work().content(), output, seconds=600 + 5 * n)
    tally = Tally.of(content) if content else Tally(name)
    if not content:
        tally.note(f"all; printed: {output.read_text(errors='replace')[-300:]}", f"the process ended with {code}")
    progress(f"{name}: {tally.tried} tried, {tally.n_bad} bad{''.join(f'; {one}' for one in tally.bad)}")
    return tally
