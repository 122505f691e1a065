"""The page's scripts run to their end on every kind of report, also where there is no browser to look at them."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from py_mini_racer import JSEvalException, MiniRacer

from parity.report import html
from parity.report.pair import Report
from tests.report import made_pair

PAGE = """
const anything = () => new Proxy(function () {}, {
  get: (target, key) => key === Symbol.toPrimitive ? () => "" : key === Symbol.iterator ? function* () {}
    : key in target && key !== "length" && key !== "name" ? target[key] : (target[key] = anything()),
  set: (target, key, value) => { target[key] = value; return true; },
  apply: () => anything(),
  construct: () => anything(),
});
const document = anything(), window = anything(), localStorage = anything(), navigator = anything();
const matchMedia = anything(), addEventListener = anything(), location = anything(), history = anything();
const requestAnimationFrame = anything(), ResizeObserver = anything(), IntersectionObserver = anything();
document.getElementById = (id) => id === "data" ? { textContent: DATA_OF_REPORT } : anything();
"""
"""A page in which every element and every method is there, and does nothing."""
REPORTS: dict[str, Callable[[], Report]] = {
    "same": made_pair.report,
    "different": lambda: made_pair.report(first_bad=7),
    "accepted": made_pair.accepted,
    "unruled": made_pair.unruled,
    "empty": made_pair.empty,
    "hostile": made_pair.hostile,
}


def run(report: Report, script: str) -> None:
    data = json.dumps(json.dumps(html.plain(html.payload(report))))
    MiniRacer().eval("(() => {" + PAGE.replace("DATA_OF_REPORT", data) + script + "\nreturn 0;})()")


def scripts() -> str:
    return "\n".join(map(html.part, html.SCRIPTS)).replace('"use strict";', "")


@pytest.mark.parametrize("name", REPORTS)
def test_the_scripts_run_to_their_end(name: str) -> None:
    run(REPORTS[name](), scripts())


def test_all_that_a_difference_may_have_is_shown() -> None:
    report = made_pair.report(first_bad=7)
    first = report.first_difference
    assert first is not None
    lines = {"flax": "port.py:3", "torch": "model.py:4"}
    full = replace(first, cause="a", mend="b", proof="c", suspected=("d",), lines=lines)
    run(replace(report, first_difference=full), scripts())


def test_a_name_that_is_not_there_is_noticed() -> None:
    with pytest.raises(JSEvalException, match="nothing_of_that_name is not defined"):
        run(made_pair.report(first_bad=7), scripts() + "\nnothing_of_that_name();")
