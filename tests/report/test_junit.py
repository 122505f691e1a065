"""Reports on pairs as JUnit XML: red exactly where the exit code is not 0, and with sentences to act on."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from parity.errors import UsageError
from parity.report.exit_codes import EXIT_CODES
from parity.report.junit import MOST, write
from parity.report.pair import Report
from tests.report import made_pair
from tests.report.made_pair import BAD, HOSTILE, PADDING


def _written(reports: Sequence[Report], folder: Path) -> ET.Element:
    write(reports, folder / "r.xml")
    return ET.parse(folder / "r.xml").getroot()


def _outcomes(suite: ET.Element) -> list[str]:
    return [case[0].tag if len(case) else "" for case in suite]


def _fault(root: ET.Element, name: str) -> ET.Element:
    case = next(case for case in root.iter("testcase") if case.get("name") == name)
    return case[0]


def test_one_suite_a_report_and_one_case_a_rung(tmp_path: Path) -> None:
    root = _written([made_pair.report(), made_pair.report(9, 3, "vgg")], tmp_path)
    assert [suite.get("name") for suite in root] == ["resnet18", "vgg"]
    names = ["1 structure", "2 forward", "3 gradients", "4 state", "5 update", "6 trajectory"]
    assert [[case.get("name") for case in suite] for suite in root] == [names, names]
    assert {case.get("classname") for case in root[1]} == {"netparity.vgg"}
    assert root[0].get("time") == "41.500"
    assert [_outcomes(suite) for suite in root] == [
        ["system-out"] * 6,
        ["system-out", "failure", "failure", "failure", "system-out", "system-out"],
    ]


def test_the_counts_are_those_of_the_cases(tmp_path: Path) -> None:
    root = _written([made_pair.report(9, 3), made_pair.unruled(), made_pair.empty()], tmp_path)
    counts = [[suite.get(key) for key in ("tests", "failures", "errors", "skipped")] for suite in (root, *root)]
    assert counts == [["19", "3", "2", "9"], ["6", "3", "0", "0"], ["6", "0", "1", "3"], ["7", "0", "1", "6"]]


def test_a_failure_says_what_where_why_and_what_to_do(tmp_path: Path) -> None:
    report = made_pair.report(12, 4)
    root = _written([report], tmp_path)
    message = _fault(root, "2 forward").get("message", "")
    assert report.first_difference is not None
    assert message.startswith(f"{report.first_difference.text}. Cause: {PADDING.text}. Mend: write padding=")
    later = _fault(root, "3 gradients").get("message", "")
    assert later.startswith("gradient of output")
    assert later.endswith("Mend the first difference before this one.")


def test_a_failure_lists_its_findings_and_counts_the_rest(tmp_path: Path) -> None:
    report = made_pair.report(60, 0)
    lines = (_fault(_written([report], tmp_path), "2 forward").text or "").splitlines()
    assert lines[0] == "Flax layer: stem"
    assert sum(line.startswith("different: ") for line in lines) == MOST
    assert lines[-1] == f"and {2 * 60 + 2 - MOST} more"


def test_what_did_not_run_is_skipped_and_what_was_not_ruled_on_is_an_error(tmp_path: Path) -> None:
    suite = _written([made_pair.unruled()], tmp_path)[0]
    assert _outcomes(suite) == ["system-out", "error", "system-out", "skipped", "skipped", "skipped"]
    assert "float32 even in float64" in suite[1][0].get("message", "")
    assert suite[4][0].get("message") == "not run: no optimizers were given"


@pytest.mark.parametrize(
    ("confirmed", "agreed", "passes"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_an_accepted_convention_is_no_failure(confirmed: bool, agreed: bool, passes: bool, tmp_path: Path) -> None:
    state = _written([made_pair.accepted(confirmed, agreed)], tmp_path)[0][3]
    assert (state[0].tag == "system-out") == passes
    assert ("accepted: running_var_bias" in (state[0].text or "")) == passes


@pytest.mark.parametrize(
    "report",
    [
        made_pair.report(),
        made_pair.report(9, 0),
        made_pair.accepted(),
        made_pair.accepted(agreed=False),
        made_pair.unruled(),
        made_pair.empty(),
        replace(made_pair.report(), verdict=BAD),
    ],
)
def test_a_file_is_red_where_the_exit_code_is_not_0(report: Report, tmp_path: Path) -> None:
    root = _written([report], tmp_path)
    red = int(root.get("failures", 0)) + int(root.get("errors", 0)) > 0
    assert red == (EXIT_CODES[report.verdict] != 0)


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    root = _written([made_pair.hostile()], tmp_path)
    assert root[0].get("name") == HOSTILE
    assert {node.tag for node in root.iter()} == {"testsuites", "testsuite", "testcase", "failure", "system-out"}
    assert f"\\u001b[31m{HOSTILE}\\ud800" in (_fault(root, "2 forward").text or "")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write([made_pair.report()], tmp_path / "no" / "r.xml")
