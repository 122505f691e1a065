"""A pytest plugin: `def test_port(netparity): netparity.assert_same(flax_model, torch_model, inputs)`."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from parity.checks.verdict import Verdict
from parity.errors import UsageError
from parity.files import file_name
from parity.pair.options import with_former
from parity.report.pair import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the plugin."""
    group = parser.getgroup("parity", "parity of Flax and PyTorch networks")
    group.addoption("--parity-html", metavar="DIR", help="write the report of every pair there, as one HTML file each")
    group.addoption(
        "--parity-accept", metavar="NAME", action="append", default=[], help="a convention that is no difference to you"
    )


class Parity:
    """What the fixture gives: comparisons under the test's name. Whatever else the module `parity` has, it has too.

    Args:
        name: The name of the test, for the reports.
        html: The folder for the reports; None writes none.
        accept: The names of the conventions that the command line accepts.
    """

    def __init__(self, name: str, html: Path | None, accept: list[str]) -> None:
        self._name, self._html, self._accept = name, html, accept
        self.reports: list[Report] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module("parity"), name)

    def compare(self, flax_model: Any, torch_model: Any, inputs: Any, **options: Any) -> Report:
        """Call `parity.compare` with the test's name, and write the report to the folder of --parity-html, if any.

        Args:
            flax_model, torch_model, inputs: The pair, as for `parity.compare`.
            **options: Keywords of `parity.compare`; what --parity-accept names is accepted too.
        """
        __tracebackhide__ = True
        try:
            return self._compare(flax_model, torch_model, inputs, options)
        except UsageError as error:
            raise error.with_traceback(None) from None  # the frames of a usage error are the test's alone

    def _compare(self, flax_model: Any, torch_model: Any, inputs: Any, options: dict[str, Any]) -> Report:
        from parity import compare

        grouped = with_former(options, stacklevel=5)
        checks = grouped["checks"]
        grouped["checks"] = replace(checks, accept=[*checks.accept, *self._accept])
        number = f"-{len(self.reports) + 1}" if self.reports else ""
        report = compare(flax_model, torch_model, inputs, **{"name": f"{self._name}{number}", **grouped})
        self.reports.append(report)
        if self._html is not None:
            self._html.mkdir(parents=True, exist_ok=True)
            report.to_html(self._html / f"{file_name(report.name)}.html")
        return report

    def assert_same(self, flax_model: Any, torch_model: Any, inputs: Any, **options: Any) -> Report:
        """Fail the test unless the two are the same function.

        Args:
            flax_model, torch_model, inputs: The pair, as for `parity.compare`.
            **options: Keywords of `parity.compare`.

        Returns:
            The report, if they are.
        """
        __tracebackhide__ = True
        report = self.compare(flax_model, torch_model, inputs, **options)
        if not report.verdict.passes:
            pytest.fail(message(report), pytrace=False)
        return report


@pytest.fixture
def netparity(request: pytest.FixtureRequest) -> Iterator[Parity]:
    """Checks a pair of networks: `netparity.assert_same(flax_model, torch_model, inputs)`."""
    folder = request.config.getoption("--parity-html")
    yield Parity(request.node.name, Path(folder) if folder else None, request.config.getoption("--parity-accept"))


@pytest.fixture
def parity(netparity: Parity) -> Parity:
    """Its former name, under which it hides the module; so it has all that the module has."""
    return netparity


def message(report: Report) -> str:
    """What failed, where, both values, the likely cause and what to do."""
    from parity.report.pair_words import places, sentence

    lines = [f"{report.name}: the networks are {_verdict_words(report.verdict)}"]
    if report.first_difference is not None:
        lines.append(f"first difference ({report.first_difference.rung}): {report.first_difference.text}")
        lines += [f"  {label}: {words}" for label, words in places(report.first_difference).items()]
    for rung in report.rungs:
        if not rung.verdict.passes:
            lines.append(f"rung {rung.number} ({rung.name}) {rung.verdict}: {sentence(rung)}")
    lines += [
        f'checks=Checks(accept=["{c.name}"]) would accept: {c.text}'
        for c in report.conventions
        if c.confirmed and not c.accepted
    ]
    return "\n".join(lines)


def _verdict_words(verdict: Verdict) -> str:
    return "not the same function" if verdict is Verdict.DIFFERENT else "not ruled on, which is no pass"
