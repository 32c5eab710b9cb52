"""The distribution of a prediction's errors: Student-t, for analysts, too, are wrong by a lot now and then."""

TAIL = 4.0  # degrees of freedom
