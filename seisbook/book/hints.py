"""Hints for answers that are not right yet: one line in Jupyter, whatever the answer is."""

import inspect
from collections.abc import Callable
from functools import wraps

import numpy as np

from seisbook.errors import UserError, one_line


class Hint(AssertionError):
    """Hint for an answer that is not right yet."""

    def _render_traceback_(self):
        """Lines that IPython shows in place of a traceback: the hint alone."""
        return [f"Not yet: {self}"]


def require(condition, hint) -> None:
    """Raise a hint unless a condition holds."""
    if not condition:
        raise Hint(hint)


def hinting(check: Callable) -> Callable:
    """A check that gives a hint, not a traceback, if an answer is of another kind than the exercise asks for."""
    name = next(iter(inspect.signature(check).parameters))

    @wraps(check)
    def hinted(*answer, **also):
        try:
            return check(*answer, **also)
        except (TypeError, ValueError, LookupError, AttributeError, UserError) as error:
            reason = f"{type(error).__name__}: {one_line(str(error))}"
            raise Hint(
                f"`{name}` is not what the exercise asks for: compare its kind and its size ({reason})."
            ) from None

    return hinted


def place_of(index, size, what) -> int:
    """An index, if it is a whole number from 0 to size - 1."""
    require(isinstance(index, (int, np.integer)), f"the index of {what} is a whole number.")
    require(0 <= index < size, f"there are {size} of them: the index of {what} is between 0 and {size - 1}.")
    return int(index)
