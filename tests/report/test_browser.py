"""The HTML report in a browser: what a person sees, with the mouse, the keyboard, on a phone, in the dark."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from parity.report import html
from parity.report.pair import Report
from tests.browsing import Visit, overflow, paper
from tests.report import made_pair
from tests.report.made_pair import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Opened = Callable[..., "Page"]
MEASURE = """(value) => {
    const box = document.querySelector("#layers input"), before = performance.now();
    box.value = value;
    box.dispatchEvent(new Event("input"));
    document.body.offsetHeight;
    return performance.now() - before;
}"""
"""Milliseconds from a word in the search box to the page laid out again."""


@pytest.fixture
def opened(visit: Visit, tmp_path: Path) -> Opened:
    """Opens a report."""

    def opens(report: Report, width: int = 1280, scheme: str = "light") -> "Page":
        html.write(report, tmp_path / "r.html")
        return visit(tmp_path / "r.html", width, scheme)

    return opens


def _rows(page: "Page") -> int:
    return page.locator("#layers tbody tr:not(.inner)").count()


def _unfold(page: "Page", section: str) -> None:
    """Open a section that is shut, by its entry in the contents."""
    assert not page.locator(f"#{section} h2 ~ *, #{section} .fold > :not(summary)").first.is_visible()
    page.locator(f".bar nav a[href='#{section}']").click()


def _count(page: "Page") -> str:
    return page.locator("#layers .count").inner_text()


def test_the_verdict_and_the_first_difference_come_first(opened: Opened) -> None:
    report = made_pair.report(12, 4)
    page = opened(report)
    assert page.locator("h1").inner_text() == "Different"
    assert page.locator(".sign").inner_text() == "≠"
    first, found = page.locator(".first").inner_text(), report.first_difference
    assert found is not None
    for part in (found.layer_flax, found.layer_torch, found.cause, found.mend, str(list(found.index))):
        assert part in first
    for value in found.values.values():
        assert str(value).replace("-", "−") in first
    titles = page.locator("h2").all_inner_texts()
    assert titles[:3] == ["First difference, on the rung “forward”, in evaluation", "The ladder", "Layers"]


def test_the_ladder_says_every_rung_and_what_was_accepted(opened: Opened) -> None:
    rungs = opened(made_pair.accepted()).locator(".ladder > li").all_inner_texts()
    assert [rung.split("\n")[:2] for rung in rungs][3:5] == [["4", "state"], ["5", "update"]]
    assert "accepted: running_var_bias" in rungs[3]
    assert not any("accepted" in rung for rung in rungs[:3])
    missing = opened(made_pair.unruled()).locator(".ladder > li").all_inner_texts()
    assert ["not run" in rung for rung in missing] == [False, False, False, True, True, True]


def test_filters_change_the_rows(opened: Opened) -> None:
    page = opened(made_pair.report(12, 4))
    assert (_rows(page), _count(page)) == (28, "28 of 28 layers")
    page.locator('[data-verdict="different"]').click()
    assert (_rows(page), _count(page)) == (16, "16 of 28 layers")
    page.locator("#mode").select_option("training")
    assert (_rows(page), _count(page)) == (8, "8 of 28 layers")
    page.locator('[data-verdict="different"]').click()
    page.locator('[data-verdict="unpaired"]').click()
    assert page.locator("#layers tbody").inner_text().count("unpaired") == _rows(page) == 4


def test_search_changes_the_rows(opened: Opened) -> None:
    page = opened(made_pair.report(12, 4))
    search = page.locator("#layers input[type=search]")
    search.fill("LAYER1.0 conv2d")
    assert (_rows(page), _count(page)) == (4, "4 of 28 layers")
    search.fill("no such layer")
    assert page.locator("#layers .none").is_visible()
    assert _count(page) == "0 of 28 layers"
    _unfold(page, "weights")
    weights = page.locator("#weights input[type=search]")
    weights.fill("running_var")
    assert page.locator("#weights .count").inner_text().startswith("5 of ")


def test_the_first_difference_leads_to_its_layer(opened: Opened) -> None:
    page = opened(made_pair.report(12, 4))
    page.get_by_role("button", name="Show it among the layers").click()
    assert _count(page) == "2 of 28 layers"


def test_heads_sort(opened: Opened) -> None:
    page = opened(made_pair.report(12, 4))
    head = page.locator("#layers th", has_text="expected rounding")
    shares = page.locator("#layers tbody td[data-label='× expected rounding']")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    largest = shares.first.inner_text()
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert "e+" in largest and "e+" not in shares.first.inner_text()
    assert page.locator("#layers th[aria-sort]").count() == 1


def test_the_keyboard_reaches_and_opens_a_row(opened: Opened) -> None:
    page = opened(made_pair.report(12, 4))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    first, second = page.locator("#layers .open").nth(0), page.locator("#layers .open").nth(1)
    first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert [one.get_attribute("aria-expanded") for one in (first, second)] == ["false", "true"]
    inner = page.locator(f"#{second.get_attribute('aria-controls')}")
    assert "gap of the outputs while the inputs agree" in inner.inner_text()
    page.keyboard.press("Space")
    assert second.get_attribute("aria-expanded") == "false"
    assert page.locator("tr.inner").count() == 0


def test_a_layer_behind_the_first_difference_is_not_blamed(opened: Opened) -> None:
    page = opened(made_pair.report(12, 4))
    page.locator("#layers .open").nth(5).click()
    assert "cannot be told: the inputs differ already" in page.locator("tr.inner").inner_text()


def test_dark_follows_the_system_and_the_button(opened: Opened) -> None:
    dark = paper(opened(made_pair.report(3), scheme="dark"))
    page = opened(made_pair.report(3))
    assert paper(page) != dark
    page.get_by_role("button", name="Use dark colours").click()
    assert paper(page) == dark
    page.reload()
    assert paper(page) == dark, "the choice is remembered"
    page.evaluate("localStorage.clear()")


@pytest.mark.parametrize("report", [made_pair.report(12, 4), made_pair.hostile()], ids=["different", "hostile"])
def test_the_page_is_never_wider_than_the_screen(opened: Opened, report: Report) -> None:
    page = opened(report, width=360)
    page.evaluate("document.querySelectorAll('summary').forEach((summary) => summary.click())")
    page.locator("#layers .open").first.click()
    wider = {}
    for width in (360, 721, 800, 1101, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        wider[width] = overflow(page)
    assert wider == dict.fromkeys(wider, 0)


def test_what_a_layer_introduces_itself_has_a_column_and_its_own_facts(opened: Opened) -> None:
    alone = made_pair.finding("output alone", "conv1", "training")
    one = replace(made_pair.layer("stem", "conv1", "training", inherited=3e-2), alone=alone)
    page = opened(replace(made_pair.report(3), layers=[one, replace(one, flax="other", alone=None)]))
    cells = page.locator("#layers td[data-label='Float32 error introduced']").all_inner_texts()
    assert cells[0].strip() and cells[1].strip() == ""
    page.locator("#layers .open").first.click()
    assert page.get_by_text("Output alone, both fed the same input").count() == 1


def test_plots_draw_every_point_and_the_limit(opened: Opened) -> None:
    page = opened(made_pair.report(12, 4))
    _unfold(page, "plots")
    titles = page.locator("#plots h3").all_inner_texts()
    assert [title.split(":")[0] for title in titles] == [
        "Outputs of the layers",
        "Gradients of the layers' outputs",
        "Gradients of the parameters",
        "State",
        "Optimizers",
        "Trajectory",
    ]
    plot = page.locator("#plots svg").first
    assert "24 layers, 16 above the limit of 1,024" in (plot.get_attribute("aria-label") or "")
    paths = plot.locator("path.dots").evaluate_all(
        "(all) => all.map((one) => one.getAttribute('d').split('M').length - 1)"
    )
    assert sorted(paths) == [4, 4, 8, 8]
    assert plot.locator(".limit").count() == 1


def test_the_script_can_be_copied(opened: Opened) -> None:
    report = made_pair.report(6, 2)
    page = opened(report)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _unfold(page, "script")
    page.locator("#copy").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == report.repro_script


def test_hostile_names_are_shown_as_they_are(opened: Opened) -> None:
    page = opened(made_pair.hostile())
    assert page.title() == f"≠ {HOSTILE}: different"
    assert page.locator(".verdict .name").inner_text() == HOSTILE
    assert page.locator("#layers .open").first.inner_text() == HOSTILE
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def test_a_script_in_a_name_would_not_run_even_if_it_broke_out(tab: "Page", tmp_path: Path) -> None:
    html.write(made_pair.report(3), tmp_path / "r.html")
    with tab.expect_console_message() as message:
        tab.goto((tmp_path / "r.html").as_uri())
        tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<a id=bad onclick=window.ran=1>x</a>')")
        tab.evaluate("document.getElementById('bad').click()")
    assert "Content Security Policy" in message.value.text
    assert tab.evaluate("window.ran") is None


@pytest.mark.parametrize(
    "report", [made_pair.empty(), made_pair.unruled(), made_pair.report(1)], ids=["empty", "unruled", "one"]
)
def test_reports_with_little_in_them_are_shown(opened: Opened, report: Report) -> None:
    page = opened(report)
    assert page.locator("h1").inner_text().lower() == report.verdict
    assert page.locator("#environment").is_visible()


def test_what_diverges_is_shown(opened: Opened) -> None:
    losses = {"flax": [1.0, float("nan"), 3.0], "torch": [1.0, float("inf"), 2.0]}
    page = opened(replace(made_pair.report(3), losses=losses))
    _unfold(page, "plots")
    assert "∞" in page.get_by_role("table", name="Losses").inner_text()


def test_without_scripts_the_report_is_text(browser: "Browser", tmp_path: Path) -> None:
    html.write(made_pair.report(3), tmp_path / "r.html")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto((tmp_path / "r.html").as_uri())
    assert page.locator("noscript pre").inner_text().startswith("## = resnet18: same")


def test_printing_shows_all_rows(opened: Opened) -> None:
    page = opened(made_pair.report(100))
    assert _rows(page) < 204
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert _rows(page) == 204
    assert not page.locator(".bar").is_visible()


def test_what_is_shut_is_printed_and_shut_again(opened: Opened) -> None:
    page = opened(made_pair.report(3))
    folds = page.locator("details.fold")
    _unfold(page, "weights")
    opened_ones = "(all) => all.filter((one) => one.open).length"
    assert folds.count() >= 4 and folds.evaluate_all(opened_ones) == 1
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert folds.evaluate_all(opened_ones) == folds.count()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert folds.evaluate_all(opened_ones) == 1


def test_an_address_of_a_section_opens_it(opened: Opened) -> None:
    page = opened(made_pair.report(3))
    page.evaluate("location.hash = '#weights'")
    page.locator("#weights table").wait_for()


SCREENS = 2
HIGH = 1200
"""Pixels of a screen that stands on a desk."""


def test_two_layers_fit_on_two_screens(opened: Opened) -> None:
    page = opened(made_pair.report(2, 1))
    assert page.evaluate("document.documentElement.scrollHeight") <= SCREENS * HIGH


def test_names_break_behind_underscores_and_nowhere_inside_a_word(opened: Opened) -> None:
    lint = replace(made_pair.PADDING, setting="fast_variance")
    page = opened(replace(made_pair.report(3, 1), lints=(lint,)))
    _unfold(page, "settings")
    parts = """(all) => all.flatMap((one) => [...one.childNodes]).filter((node) => node.nodeType === 3).map((node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return [node.textContent, range.getClientRects().length];
    })"""
    pieces = page.locator("#settings td .mono").evaluate_all(parts)
    assert ["fast_", 1] in pieces and ["variance", 1] in pieces
    assert [piece for piece, count in pieces if count > 1 and " " not in piece] == []


def test_a_thousand_layers(opened: Opened, record_property: Callable[[str, object], None]) -> None:
    page = opened(made_pair.report(1000, 600))
    assert _count(page) == "2,004 of 2,004 layers"
    assert _rows(page) < 300, "rows are made when they are looked at"
    for word in ("bn2", "layer99", "", "relu"):
        milliseconds = page.evaluate(MEASURE, word)
        record_property(f"filter {word!r} ms", milliseconds)
        print(f"filter {word!r}: {milliseconds:.1f} ms")
    ready = page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
    print(f"page ready after {ready:.0f} ms")
    page.locator("#layers input").fill("")
    before = _rows(page)
    page.evaluate(
        "(() => { const box = document.querySelector('#layers .scroll'); box.scrollTop = box.scrollHeight; })()"
    )
    page.locator("#layers tbody tr").nth(before).wait_for(state="attached")
    assert overflow(page) == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_no_rule_of_accessibility_is_broken(scheme: str, width: int, browser: "Browser", tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_core_python.sync_playwright", reason="pip install 'netparity[dev]'").Axe()
    html.write(made_pair.report(first_bad=7), tmp_path / "r.html")
    context = browser.new_context(
        bypass_csp=True,  # the page allows no script but its own
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type] # a literal there
    )
    page = context.new_page()
    page.goto((tmp_path / "r.html").as_uri())
    broken = {each["id"]: [node["html"] for node in each["nodes"]] for each in axe.run(page)["violations"]}
    context.close()
    assert not broken
