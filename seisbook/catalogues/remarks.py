"""Remarks: one line for each thing that a reader leaves out, or one line with a count for what is common."""

from collections import Counter


def event_left_out(place, why) -> str:
    """Remark on an event; `place` is its file and line, or its file and `event` with a number."""
    subject = place if ": event " in place else f"{place}: event"
    return f"{subject} left out: {why}"


class Remarks:
    """What was left out of a file, in the order in which it was met; what is counted comes last.

    Parameters
    ----------
    lines : list of str, optional
        Remarks that there are already; new ones are appended to it.
    """

    def __init__(self, lines=None):
        self.lines = [] if lines is None else lines
        self._counts = {}

    def event(self, place, why):
        """Say that an event is left out, and why."""
        self.lines.append(event_left_out(place, why))

    def count(self, place, what, why, name=""):
        """Count one thing that is left out.

        Parameters
        ----------
        place : str
            Its file and line or event; the remark names that of the first one.
        what : str
            What it is, in the singular: `pick`, `amplitude`.
        why : str
            What is wrong with it, such as `without a time`. Things of one kind and one reason share a remark.
        name : str
            What the remark counts by: a phase, a station.
        """
        _, names = self._counts.setdefault((what, why), (place, Counter()))
        names[name or "no name"] += 1

    def close(self) -> list[str]:
        """All remarks; what was counted since the last call is appended to them."""
        for (what, why), (place, names) in self._counts.items():
            total = names.total()
            counts = ", ".join(f"{name} {count}" for name, count in names.most_common())
            found = f"1 {what}" if total == 1 else f"{total} {what}s"
            self.lines.append(f"{place}: {found} left out, {why} ({counts})" + ", from here on" * (total > 1))
        self._counts.clear()
        return self.lines
