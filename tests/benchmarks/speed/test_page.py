"""The HTML page on speed in a browser."""

from typing import TYPE_CHECKING

import pytest

from benchmarks.speed.pages import report
from tests.browsing import Visit, overflow, paper

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install 'netparity[dev]'"
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = report.newest().parent


@pytest.fixture
def page(visit: Visit) -> "Page":
    return visit(FOLDER / report.HTML)


def test_every_section_is_there_and_the_list_leads_to_it(page: "Page") -> None:
    titles = [one.title for one in report.sections(FOLDER / report.NAME)]
    assert page.locator("main h2").all_inner_texts() == titles
    assert page.locator("#contents a").all_inner_texts() == titles
    page.locator("#contents a").last.click()
    assert page.evaluate("location.hash") == "#about"
    sync_api.expect(page.locator("#about-title")).to_be_in_viewport()


def test_every_drawing_is_laid_out_and_named(page: "Page") -> None:
    drawings = page.locator(".drawing svg")
    assert drawings.count() == len(list(FOLDER.glob("*.svg"))) > 0
    for one in drawings.all():
        box = one.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 200
        assert one.get_attribute("aria-label")


def test_the_keyboard_reaches_wide_tables(page: "Page") -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    table = page.locator(".scroll").first
    table.focus()
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "In short: table"


def test_dark_follows_the_system_and_the_button(visit: Visit) -> None:
    dark = paper(visit(FOLDER / report.HTML, scheme="dark"))
    page = visit(FOLDER / report.HTML)
    assert paper(page) != dark
    page.get_by_role("button", name="Use dark colours").click()
    assert paper(page) == dark
    page.evaluate("localStorage.clear()")


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_the_page_is_never_wider_than_the_screen(visit: Visit, width: int) -> None:
    assert overflow(visit(FOLDER / report.HTML, width)) == 0
