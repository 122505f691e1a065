"""The pairs that a command line names, by their functions or by their names in the folder's configuration."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from parity.errors import UsageError
from parity.pair.arrays import target

if TYPE_CHECKING:
    from parity.pair.process.child import Asked
    from parity.report.pair import Report

CHECKS = ("accept", "dropout", "probes", "training_flag")
PLACES = ("map", "map_out", "seed", "device")
SET = ("dropout", "probes", "training_flag", "map", "seed")
"""Options of a configuration that are set as they are."""


@dataclass(frozen=True)
class Pair:
    """A pair that is to be checked.

    Args:
        name: The name in reports.
        target: The function that makes it, as "path/to/file.py:function".
        options: Options of the check by name, as the configuration has them.
        reasons: Name of each convention that the configuration accepts → the reason.
    """

    name: str
    target: str
    options: Mapping[str, object] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    def asked(self, arguments: argparse.Namespace) -> "Asked":
        """What is asked of the pair: what its options say, and before it the command line."""
        from parity.pair.process.child import Asked

        flags = {name: value for name in (*CHECKS, *PLACES) if (value := getattr(arguments, name, None))}
        accept = [*self.reasons, *flags.pop("accept", ())]
        options = {"seed": 0, **self.options, **flags, "accept": accept} | (
            {"probes": False} if arguments.no_probes else {}
        )
        checks, places = ({n: options[n] for n in names if n in options} for names in (CHECKS, PLACES))
        return Asked(self.target, checks, places)

    def named(self, report: "Report") -> "Report":
        """The report under the pair's name, with the reasons for what is accepted in it."""
        used = [convention.name for convention in report.conventions if convention.accepted]
        reasons = [f"accepted {name}: {self.reasons[name]}" for name in used if name in self.reasons]
        return replace(report, name=self.name, notes=[*reasons, *report.notes])


def split(names: Sequence[str]) -> tuple[list[Pair], list[str]]:
    """The pairs among some names, and the names of recipes; of no names, all pairs that the folder lists.

    Raises:
        UsageError: A name is neither, or the folder's configuration is not what it should be.
    """
    from parity import recipes

    others = [name for name in names if not target.is_target(name)]
    known = [*recipes.every(), *recipes.GROUPS]
    unknown = [name for name in others if name not in known]
    configured = _configured() if unknown or not names else {}
    pairs = [_pair(name, configured) for name in dict.fromkeys(names) if name in configured or name not in others]
    for name in unknown:
        if name not in configured:
            raise _unknown(name, [*known, *configured])
    return (pairs if names else [*configured.values()]), [name for name in others if name not in configured]


def _pair(name: str, configured: Mapping[str, Pair]) -> Pair:
    return configured[name] if name in configured else Pair(name, name)


def _configured() -> dict[str, Pair]:
    """Name → pair, of those that the folder lists. Whether what they accept is known is seen at once."""
    if not any(Path(name).is_file() for name in ("parity.toml", "pyproject.toml")):
        return {}
    from parity.cli.pairs.configuration import listed
    from parity.pair.causes.conventions import known_names

    pairs = {}
    for name, entry in listed(Path()).items():
        reasons = dict(zip(known_names(list(entry.accept)), entry.accept.values(), strict=True))
        options = {key: value for key, value in vars(entry).items() if key in SET and value is not None}
        pairs[name] = Pair(name, entry.function, options, reasons)
    return pairs


def _unknown(name: str, known: Sequence[str]) -> UsageError:
    """The error for a name that is no recipe and no pair; a file is told how its function is named."""
    from parity.errors import unknown_name

    place = name.rpartition(":")[0] if ":" in name else name
    if ":" in name or "/" in name or name.endswith(".py") or Path(name).exists():
        functions = target.functions(place)
        hint = f"such as {place}:{functions[0]}" if functions else "whose function returns the pair"
        return UsageError(f"got {name}; expected path/to/file.py:function, {hint}")
    return UsageError(f"{unknown_name('network', name, known)}; a pair of your own is path/to/file.py:function")
