"""Values with their intervals, one row each: a point on a whisker."""


def whisker(axis, estimate, y, colour, marker="o", size=6, width=2, capstyle="projecting", **look):
    """Draw a value as a point on the whisker of its interval.

    Parameters
    ----------
    axis : Axes
    estimate : Estimate or (float, float, float)
        The value, and the lower and upper end of its interval.
    y : float
        Height of the row.
    colour : color
    marker : str
        Shape of the point.
    size, width : float
        Size of the point and width of the whisker.
    capstyle : str
        How the whisker ends, as Matplotlib calls it.
    **look
        Further properties of the point.
    """
    value, low, high = estimate
    axis.plot([low, high], [y, y], color=colour, linewidth=width, solid_capstyle=capstyle)
    axis.plot(value, y, marker, color=colour, markersize=size, **look)


def name_rows(axis, names):
    """Label the rows 0, 1, ... of an axis with these names, from the top down, and take the lines of the grid off."""
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(False, axis="y")
