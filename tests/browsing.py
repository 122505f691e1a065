"""Fixtures that open the project's HTML pages in a browser; their tests are skipped where there is none."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Visit = Callable[..., "Page"]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install 'netparity[dev]'"
    )
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def tab(browser: "Browser") -> "Page":
    return browser.new_context().new_page()


@pytest.fixture
def visit(tab: "Page") -> Iterator[Visit]:
    """Opens a file; afterwards there must have been no error, no warning and no request but for such files."""
    heard: list[str] = []
    visited: set[str] = set()
    listeners = {
        "console": lambda message: heard.append(f"{message.type}: {message.text}"),
        "pageerror": lambda error: heard.append(str(error)),
        "request": lambda request: heard.append(request.url),
        "dialog": lambda dialog: heard.append(dialog.message),
    }
    for event, listener in listeners.items():
        tab.on(event, listener)  # type: ignore[call-overload] # the overloads want literals

    def visits(path: Path, width: int = 1280, scheme: str = "light") -> "Page":
        visited.add(path.as_uri())
        tab.set_viewport_size({"width": width, "height": 800})
        tab.emulate_media(color_scheme=scheme, media="screen")  # type: ignore[arg-type] # a literal there
        tab.goto(path.as_uri())
        return tab

    yield visits
    for event, listener in listeners.items():
        tab.remove_listener(event, listener)
    assert [what for what in heard if what not in visited] == []


def overflow(page: "Page") -> int:
    """Pixels by which the page is wider than the screen."""
    return page.evaluate("document.documentElement.scrollWidth - innerWidth")


def paper(page: "Page") -> str:
    """Colour behind the text."""
    return page.evaluate("getComputedStyle(document.body).backgroundColor")
