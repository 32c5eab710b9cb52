import time

import pytest

from seisbook import yaml_text
from seisbook.errors import brief


def bomb(levels, width=9):
    """A few lines whose aliases unfold into `width ** levels` values."""
    lines = ["k0: &k0 [" + ", ".join(["x"] * width) + "]"]
    lines += [f"k{i}: &k{i} [" + ", ".join([f"*k{i - 1}"] * width) + "]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bomb(30), "aliases unfold"),
        ("a: &a [*a]", "an alias refers to what holds it"),
        ("a: " + "[" * 300_000, "line 1: more than 20 levels"),
        ("".join(f"{'  ' * i}k:\n" for i in range(40)), "line 21: more than 20 levels"),
        ("a: 1\nb: {c: 1, d: 2, c: 3}", "line 2: key 'c' is given twice"),
        ("a: 1\nb: 2\na: 1", "line 3: key 'a' is given twice"),
        ("a: 2001-13-01", "no date and no number"),
        ("a: " + "7" * 6000, "no date and no number"),
        ("a: !!timestamp never", "no date and no number"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("a: [", "did not find expected"),
        ("a: \x07", "control characters"),
    ],
)
def test_harm_is_refused_in_one_line_and_at_once(text, said):
    before = time.perf_counter()
    with pytest.raises(ValueError, match=said) as caught:
        yaml_text.parse(text)
    assert time.perf_counter() - before < 2
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_plain_documents_with_an_alias_or_a_merge_are_read():
    assert yaml_text.parse("a: &a {b: 1, c: 2}\nd: *a\ne: {<<: *a, b: 3}") == {
        "a": {"b": 1, "c": 2},
        "d": {"b": 1, "c": 2},
        "e": {"b": 3, "c": 2},
    }
    assert yaml_text.parse("") is None


def test_a_value_in_a_message_is_short_whatever_it_is():
    for value in ("x" * 10**6, [["y"] * 1000] * 1000, 1 << 10**6, "two\nlines", {i: i for i in range(1000)}):
        assert len(brief(value)) < 200
        assert "\n" not in brief(value)
