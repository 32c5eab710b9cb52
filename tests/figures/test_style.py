import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from seisbook.figures import style


def relative_luminance(hue):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in hue]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("hue", [style.P_COLOUR, style.S_COLOUR, *style.NETWORK_COLOURS.values()])
def test_colours_stand_out_from_white(hue):
    from matplotlib.colors import to_rgb

    assert 1.05 / (relative_luminance(to_rgb(hue)) + 0.05) > 2.1


ALL_COLOURS = [style.P_COLOUR, style.S_COLOUR, *style.NETWORK_COLOURS.values()]


@pytest.mark.parametrize("pair", list(itertools.combinations(ALL_COLOURS, 2)))
def test_colours_differ_for_a_deuteranope(pair):
    """Machado, Oliveira and Fernandes (2009), severity 1, in linear RGB."""
    from matplotlib.colors import to_rgb

    deuteranopia = np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    )
    first, second = (deuteranopia @ np.array(to_rgb(hue)) ** 2.2 for hue in pair)
    assert np.linalg.norm(np.clip(first, 0, 1) ** (1 / 2.2) - np.clip(second, 0, 1) ** (1 / 2.2)) > 0.3


HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>&\u2028"


def test_text_of_a_catalogue_cannot_leave_the_script(tmp_path):
    template = tmp_path / "page.html"
    template.write_text("<script>const data = __DATA__;</script>")
    page = style.filled(template, [{"code": HOSTILE}])
    assert page.count("<") == 2
    assert "\u2028" not in page
    assert json.loads(page.removeprefix("<script>const data = ").removesuffix(";</script>")) == [{"code": HOSTILE}]


@pytest.mark.parametrize(
    "path", sorted(Path(style.__file__).parent.glob("*_explorer.html")), ids=lambda path: path.stem
)
def test_explorers_escape_what_they_insert_as_html(path):
    """Names and texts from the data reach `innerHTML` by way of `escaped` only."""
    inserted = re.findall(
        r"\$\{([^}]*\.(?:stations\[i\]|text|name|arm|title)[^}]*)\}", path.read_text(encoding="utf-8")
    )
    marks = [line for line in path.read_text(encoding="utf-8").splitlines() if "<t" in line]
    for expression in inserted:
        lines = [line for line in marks if f"${{{expression}}}" in line]
        assert not lines or expression.startswith("escaped("), f"{expression} in {lines}"
