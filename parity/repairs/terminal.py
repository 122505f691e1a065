"""A repair for a person at a terminal: what differs, where, why, the patch, whether the pair was proven again, and what
is left."""

from rich.console import Console

from parity.errors import counted
from parity.repairs.record import Repair, Round
from parity.report.pair_terminal import escape
from parity.report.pair_words import sentence, summary
from parity.report.programs.answer import next_step
from parity.report.terminal import MARKS, STYLES


def show(out: Console, repair: Repair, *, quiet: bool = False) -> None:
    """Print a repair.

    Args:
        out: The console to print to.
        repair: The repair.
        quiet: Whether to print the verdict's line and the diff only.
    """
    if not quiet:
        out.print(f"[bold]{escape(repair.name)}[/]: {repair.before.verdict}", soft_wrap=True)
        for number, round_ in enumerate(repair.rounds, start=1):
            _round(out, number, round_)
    if repair.diff:
        out.print(f"\n{escape(repair.diff)}", soft_wrap=True, highlight=False)
    again = "yes" if repair.repaired else "no" if repair.diff else "no patch was kept"
    mark = f"[{STYLES[repair.verdict]}]{MARKS[repair.verdict]} {repair.verdict}[/]"
    out.print(f"proven again: {again}: {mark}; {escape(summary(repair.after))}", soft_wrap=True)
    if not repair.verdict.passes:
        _left(out, repair)
    for path in repair.written:
        out.print(f"written: {escape(path)}", soft_wrap=True)
    if repair.diff and not repair.written:
        out.print("no file of yours was changed; --write does that", style="dim", soft_wrap=True)


def _round(out: Console, number: int, round_: Round) -> None:
    out.print(f"\n{number}. {escape(round_.place)}", soft_wrap=True)
    lines = ", ".join(f"{'Flax' if side == 'flax' else 'PyTorch'} {line}" for side, line in round_.lines.items())
    facts = {"where": lines, "cause": round_.cause, "proof": round_.proof}
    for label, words in facts.items():
        if words:
            out.print(f"  {label}: {escape(words)}", soft_wrap=True)
    kept = round_.kept
    if kept is not None:
        side = "Flax" if kept.side == "flax" else "PyTorch"
        out.print(f"  patch: in {side}'s source: {escape(kept.words)}", soft_wrap=True)
    elif round_.proof:
        out.print(f"  no patch by rule; write it yourself: {escape(round_.mend or round_.cause)}", soft_wrap=True)
    else:
        out.print("  its cause is not proven, so nothing is patched", soft_wrap=True)
    if dropped := [other for other in round_.tried if not other.kept]:
        out.print(f"  dropped: {counted(len(dropped), 'patch', 'patches')} that did not help", soft_wrap=True)
        for other in dropped[-1:] if kept is not None else dropped:
            out.print(f"    {other.side}: {escape(other.words)}: {escape(other.why)}", soft_wrap=True)


def _left(out: Console, repair: Repair) -> None:
    first, headline = repair.after.first_difference, repair.after.headline
    words = first.text if first is not None else sentence(headline) if headline is not None else "nothing was compared"
    out.print(f"left: {escape(words)}", soft_wrap=True)
    out.print(f"next: {escape(next_step(repair.after))}", soft_wrap=True)
