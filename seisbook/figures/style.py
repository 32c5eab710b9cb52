"""Style and parts that all figures share."""

import io
import json
import re
from functools import wraps
from pathlib import Path

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from matplotlib import patheffects
from matplotlib.colors import to_rgb
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from seisbook.errors import UserError

STYLE = Path(__file__).with_name("seisbook.mplstyle")
P_COLOUR, S_COLOUR = "#0072B2", "#D55E00"
# told apart by a deuteranope, from each other and from P and S (tests/figures/test_data.py)
NETWORK_COLOURS = {"colombia": "#009E73", "ridgecrest": "#882255", "iceland": "#56B4E9"}
OTHER_NETWORK = "#E69F00"
SERIES = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
"""Colours of a few curves or regions; a name such as `C0` would be looked up when the style is no longer there."""
LAND, WATER, LINE, DARK = "#f3f1ec", "#dfeaf2", "#8c8c8c", "#333333"
HALO = [patheffects.withStroke(linewidth=2.5, foreground="white")]
DEGREES = ccrs.PlateCarree()
BINS = 40
PLAIN = FuncFormatter(lambda value, _: f"{value:,g}")  # 0.1, 1, 1,000 on a logarithmic axis

ESCAPED = """words => String(words).replace(/[&<>"']/g, sign => `&#${sign.charCodeAt(0)};`)"""
"""Function of the interactive figures' scripts: text as it is written in HTML and SVG."""


def styled(draw):
    """Draw in the book's style; the figure is closed to pyplot, so that a notebook that returns it shows it once."""

    @wraps(draw)
    def figure(*args, **kwargs):
        with plt.style.context(STYLE):
            drawn = draw(*args, **kwargs)
            drawn.draw_without_rendering()  # what is laid out at drawing time takes its fonts from the style too
        plt.close(drawn)
        return drawn

    return figure


class Interactive(HTML):
    """An interactive figure for web pages, made of HTML, SVG and a script, with a static figure for paper.

    Parameters
    ----------
    page : str
    picture : Figure
        HTML of the interactive figure, and a static figure of the same data.
    """

    def __init__(self, page, picture):
        super().__init__(page)
        self.picture = picture

    def _repr_png_(self):
        drawn = io.BytesIO()
        self.picture.savefig(drawn, format="png", bbox_inches="tight")
        return drawn.getvalue()


def filled(template, data, **others) -> str:
    """Page of an interactive figure: its template with data as literals of the page's script.

    Signs that could end the script or begin a tag are written as escapes, so that no text of a catalogue, such as the
    code of a station, is taken for a part of the page. What the script then puts into the page as HTML or SVG goes
    through `escaped`, its function for this.

    Parameters
    ----------
    template : Path
        With `__ESCAPED__` where the function goes, `__DATA__` where the data go, and so on for the others.
    data, **others : object
        What JSON can hold.
    """
    literals = {name.upper(): _literal(value) for name, value in {"data": data, **others}.items()}
    literals["ESCAPED"] = ESCAPED
    return re.sub("__([A-Z]+)__", lambda name: literals[name[1]], template.read_text(encoding="utf-8"))


def _literal(value):
    text = json.dumps(value, separators=(",", ":"))
    return re.sub("[<>&]", lambda sign: f"\\u{ord(sign[0]):04x}", text)


def check_drawable(content, what):
    """Raise an error if a table, list or dictionary has no rows: the figure called `what` would be blank."""
    if not len(content):
        raise UserError(f"{what}: there is nothing to draw: run the study first, or `seisbook results --record`")


def logarithmic(axis, which, steps=(1, 2, 5)):
    """Make `axis` logarithmic along "x" or "y", with plain numbers at these multiples of the powers of ten."""
    getattr(axis, f"set_{which}scale")("log")
    target = getattr(axis, f"{which}axis")
    target.set_major_locator(LogLocator(subs=steps))
    target.set_major_formatter(PLAIN)
    target.set_minor_formatter(NullFormatter())


def colour(catalogue):
    """The colour of a network, lighter for simulated data."""
    strong = np.array(to_rgb(NETWORK_COLOURS.get(catalogue.network, OTHER_NETWORK)))
    return tuple(strong if catalogue.source != "simulated" else 0.5 + 0.5 * strong)


def label(catalogue):
    """Name of a network and its source, for a legend."""
    kind = {"simulated": "simulated twin", "waveform": "recorded"}.get(catalogue.source, catalogue.source)
    return f"{catalogue.network.replace('_', ' ').capitalize()}, {kind}"


def histogram(axis, values, bins, catalogue, text=None):
    """Draw the share of the values in each bin, in percent: real data filled, simulated data hatched.

    Parameters
    ----------
    axis : Axes
    values : array_like
        NaN are left out. Values beyond the bins count in the whole of which shares are taken.
    bins : int or array_like
    catalogue : Catalogue or Summary
        Whose network and source give colour and label.
    text : str, optional
        Label in place of the catalogue's.
    """
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    hue, hatched = colour(catalogue), catalogue.source == "simulated"
    look = {"facecolor": "none", "hatch": "//////"} if hatched else {"facecolor": (*hue, 0.6)}
    share = np.full(values.size, 100 / max(values.size, 1))
    text = label(catalogue) if text is None else text
    axis.hist(values, bins, weights=share, histtype="stepfilled", edgecolor=hue, linewidth=1.3, label=text, **look)


def points(axis, x, y, colour, label=None):
    """Draw many small translucent points, and one large point for the legend.

    Parameters
    ----------
    axis : Axes
    x, y : array_like
    colour : color
    label : str, optional
    """
    axis.plot(x, y, ".", color=colour, markersize=2.4, alpha=0.4, markeredgewidth=0, rasterized=True)
    axis.plot([], [], "o", color=colour, label=label)
