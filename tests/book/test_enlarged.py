"""A figure opens in its full size by finger and keyboard, on a page with the book's script and style."""

from playwright.sync_api import sync_playwright

from seisbook.paths import BOOK
from tests import chromium

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<link rel="stylesheet" href="{static}/seisbook.css"><script src="{static}/figures.js"></script></head><body>
<article class="bd-article"><h1>A page</h1><figure><img id="one" alt="A map" src="{static}/logo.svg" width="200">
</figure>
<figure><a href="#"><img id="linked" alt="A link" src="{static}/logo.svg" width="200"></a></figure></article>
</body></html>"""


@chromium.needed
def test_a_figure_opens_and_closes_by_finger_and_keyboard(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(PAGE.format(static=(BOOK / "_static").as_uri()), encoding="utf-8")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium.CHROMIUM)
        page = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True).new_page()
        page.goto(path.as_uri())
        dialog, button = page.locator("dialog.enlarged"), page.get_by_role("button", name="A map")
        assert page.locator("button.enlarge").count() == 1, "a picture that is a link stays one"
        assert page.evaluate("document.images.length") == 2
        for opening in (button.tap, lambda: button.press("Enter")):
            opening()
            large = dialog.locator("img")
            assert large.get_attribute("alt") == "A map"
            assert large.bounding_box()["width"] > 390, "no larger than the screen"
            assert dialog.bounding_box()["width"] <= 390
            page.keyboard.press("Escape")
            assert not dialog.is_visible()
            assert button.evaluate("one => one === document.activeElement"), "the focus is lost"
        button.tap()
        dialog.get_by_role("button", name="Close").tap()
        assert not dialog.is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
