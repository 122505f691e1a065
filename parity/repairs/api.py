"""`parity.repair`: the repair of a pair from Python."""

from collections.abc import Mapping
from typing import Any, Literal

from parity.errors import UsageError
from parity.pair.arrays import target
from parity.pair.passes.progress import Note, silent
from parity.pair.process.child import Asked
from parity.repairs.copies import in_a_process, in_this_process
from parity.repairs.record import Repair
from parity.repairs.repair import ROUNDS, Repairer, written
from parity.repairs.source.project import text_of

SIDES = ("flax", "torch")


def repair(
    name: str,
    *,
    side: Literal["flax", "torch"] | None = None,
    write: bool = False,
    rounds: int = ROUNDS,
    seed: int = 0,
    checks: Mapping[str, Any] | None = None,
    in_process: bool = False,
    progress: Note = silent,
) -> Repair:
    """Write the mend of each proven cause into a copy of a pair's sources, and prove the pair again.

    A patch is kept if the whole check says that the two sides are the same with it, or that they no longer part where
    they did. Where a cause has no proof, or no rule for its patch, the repair ends, and `rounds` says what to write in
    words. The files themselves are left alone unless `write` is set.

    Args:
        name: The pair, as "path/to/file.py:function"; the function returns what `parity check` takes.
        side: The side whose source may be edited; None for the one that a cause's mend names first.
        write: Whether the patched files are written, once the repair has ended; a file that has changed meanwhile is
            refused, and nothing is written then.
        rounds: The most causes that are mended one after the other.
        seed: The seed of all draws, as for `parity.compare`.
        checks: Fields of `parity.Checks` by name, before those that the function gives.
        in_process: Whether the checks run in this process; else each runs in its own, and a crash costs one rung.
        progress: Told in a few words what is being done.

    Returns:
        The repair: both reports, the causes with their patches, and all that was kept as one unified diff.

    Raises:
        UsageError: The pair cannot be made or checked, an option is not what it should be, or a file cannot be written.
    """
    if side is not None and side not in SIDES:
        raise UsageError(f"side got {side!r}; expected one of {', '.join(SIDES)}")
    if rounds < 1:
        raise UsageError(f"rounds got {rounds}; expected a whole number from 1")
    target.require_function(name)
    asked = Asked(name, dict(checks or {}), {"seed": seed})
    return of_asked(asked, side=side, save=write, rounds=rounds, in_process=in_process, progress=progress)


def of_asked(
    asked: Asked,
    *,
    side: str | None,
    save: bool,
    rounds: int = ROUNDS,
    in_process: bool = False,
    progress: Note = silent,
) -> Repair:
    """`repair` of what a command asks of a pair."""
    make = in_this_process if in_process else in_a_process
    repairer = Repairer(make(asked, progress), side, rounds, progress)
    made = repairer.repair(asked.target, target.require_file(asked.target))
    return written(made, text_of) if save and made.diff else made
