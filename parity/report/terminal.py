"""Results for a person at a terminal, readable when piped too."""

from collections.abc import Iterable, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from parity.checks import ladder
from parity.checks.referee import MARGIN
from parity.checks.verdict import Finding, Rung, Verdict, worst
from parity.errors import counted
from parity.interface.trace import spoken
from parity.recipes import Recipe
from parity.report.records import ReportData

STYLES = {
    Verdict.SAME: "green",
    Verdict.LESS_ACCURATE: "yellow",
    Verdict.INCONCLUSIVE: "magenta",
    Verdict.DIFFERENT: "bold red",
}
MARKS = {Verdict.SAME: "=", Verdict.LESS_ACCURATE: "≈", Verdict.INCONCLUSIVE: "?", Verdict.DIFFERENT: "≠"}


def console(*, stderr: bool = False) -> Console:
    """A console that is wide enough for our tables when its output goes to a pipe."""
    output = Console(stderr=stderr, highlight=False, emoji=False)
    return (
        output
        if output.is_terminal
        else Console(stderr=stderr, highlight=False, emoji=False, width=max(100, output.width))
    )


def show_recipes(out: Console, recipes: Iterable[Recipe]) -> None:
    """Print one row for each recipe that can be checked."""
    table = Table("name", "network", "parameters", "data (offline)", "optimizer", "claim", box=None)
    for recipe in recipes:
        data = f"{recipe.data} ({recipe.offline_data})" if recipe.offline_data else recipe.data
        parameters = "–" if recipe.parameters is None else f"{recipe.parameters:,}"
        table.add_row(recipe.name, recipe.network, parameters, data, recipe.optimizer.kind, recipe.claim)
    out.print(table)


def show_results(out: Console, results: Sequence[ReportData], *, quiet: bool = False) -> None:
    """Print one row for each network, then what is wrong, then the answer; only the answer if it is to be `quiet`."""
    if quiet:
        out.print(answer(results), soft_wrap=True)
        return
    columns = [rung.number for rung in results[0].rungs]
    table = Table("network", *[str(number) for number in columns], "bits flax/torch", "seconds", "verdict", box=None)
    for result in results:
        marks = [f"[{STYLES[rung.verdict]}]{MARKS[rung.verdict]}[/]" for rung in result.rungs]
        verdict = f"[{STYLES[result.verdict]}]{result.verdict}[/]"
        table.add_row(result.name, *marks, _bits(result), f"{result.seconds.get('total', 0.0):.1f}", verdict)
    out.print(table)
    out.print("rungs: " + " · ".join(f"{number} {ladder.NAMES[number]}" for number in columns), style="dim")
    for result in results:
        if result.headline is not None:
            out.print(f"\n{result.name}: {describe(result.headline)}")
    out.print("\n" + answer(results), style=STYLES[worst(result.verdict for result in results)], soft_wrap=True)


def describe(rung: Rung) -> str:
    """Say in words where and how a rung is not the same."""
    where = f" at layer [bold]{rung.layer}[/]" if rung.layer else ""
    verdict = f"{rung.verdict}, {rung.cause}," if rung.cause else f"{rung.verdict}"
    start = f"{verdict} on rung {rung.number} ({rung.name}){where}"
    if rung.headline is None:
        return f"{start}; {rung.reason}"
    parts = [start, evidence(rung.headline)]
    return ";\n  ".join(part for part in [*parts, rung.reason] if part)


def evidence(finding: Finding) -> str:
    """A finding in words: what was compared, and the worst element with each framework's value there."""
    how = ", ".join(part for part in (finding.mode, "fed the same input" if finding.isolated else "") if part)
    text = subject(finding) + (f" ({how})" if how else "")
    if finding.values and finding.reason == "":
        at = ", ".join(f"{value:.12g} in {framework}" for framework, value in finding.values.items())
        text += f": worst at {list(finding.index)}, {at}; {_share(finding.share)} × rounding (threshold {MARGIN:.0f})"
    if finding.reason:
        text += f": {finding.reason}"
    if finding.culprit:
        text += f"; {finding.culprit} is the odd one out"
    return text


def subject(finding: Finding) -> str:
    """What was compared: a layer's output, an array, or what is the whole network's."""
    name = spoken(finding.name) if not finding.name or finding.quantity.endswith("output") else finding.name
    return f"{finding.quantity} {name}" if name == finding.name else f"{finding.quantity} of {name}"


def answer(results: Sequence[ReportData]) -> str:
    """The answer: the verdict on each group of networks, then the number of comparisons and the largest gap."""
    groups: dict[tuple[Verdict, str], list[str]] = {}
    for result in results:
        groups.setdefault((result.verdict, _meaning(result)), []).append(result.name)
    lines = []
    for (verdict, what), names in groups.items():
        lines.append(f"{verdict.upper()}: {', '.join(names)} – {what}{_only(results[0].rungs)}")
    findings = [f for result in results for rung in result.rungs for f in rung.findings]
    largest = max((f.share for f in findings), default=np.nan)
    lines.append(
        f"{counted(len(findings), 'comparison')}; the largest gap is {_share(largest)} × rounding, "
        f"{MARGIN:.0f} is the limit"
    )
    return "\n".join(lines)


def _meaning(result: ReportData) -> str:
    """The verdict on a network, in words."""
    first = result.headline
    if result.verdict is Verdict.DIFFERENT and first is not None and first.number not in ladder.RUNGS:
        return "not the same training on several devices as on one"
    return {
        Verdict.SAME: "the same function in Flax, PyTorch and NumPy",
        Verdict.LESS_ACCURATE: "the same function, but one framework is less accurate",
        Verdict.DIFFERENT: "not the same function",
        Verdict.INCONCLUSIVE: "not ruled on",
    }[result.verdict]


def _only(rungs: Sequence[Rung]) -> str:
    """A reservation that names the climbed rungs, where some were left out; else ""."""
    climbed = [rung.number for rung in rungs]
    return "" if {*climbed} >= {*ladder.RUNGS} else f", as far as rungs {', '.join(map(str, climbed))} tell"


def _share(share: float) -> str:
    return f"{share:.1f}" if share < MARGIN else f"{share:.1e}"


def _bits(result: ReportData) -> str:
    """The correct bits of each framework's float32 logits, such as "19 / 20"; "–" where they were not compared."""
    for rung in result.rungs:
        for finding in rung.findings:
            if finding.quantity == "output" and finding.name == "":
                return " / ".join(f"{bits:.0f}" for bits in finding.bits.values())
    return "–"
