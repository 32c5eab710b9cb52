"""Kinds of values that options of commands take, each a function of what was typed."""

import argparse
from pathlib import Path

LONGEST_NUMBER = 18  # digits: more are no number of events or of a seed


def positive(text) -> int:
    """A count of at least one."""
    return _whole(text, 1)


def seed(text) -> int:
    """A random seed: a whole number from 0."""
    return _whole(text, 0)


def named(text) -> Path:
    """Path of a file, which has a name."""
    if not Path(text).name:
        raise argparse.ArgumentTypeError(f"'{text}': give the path of a file")
    return Path(text)


def _whole(text, least):
    if not text.isdecimal() or len(text) > LONGEST_NUMBER or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text}: give a whole number of at least {least}")
    return int(text)
