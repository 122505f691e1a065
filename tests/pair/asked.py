"""The keywords of `parity.compare` from options by their own names, each put into its group."""

from typing import Any

from parity.pair.options import GROUP_OF, GROUPS


def asked(**options: Any) -> dict[str, Any]:
    """Fields of `TrainingPair` and `Checks` in their groups; all else as it is."""
    grouped = {name: value for name, value in options.items() if name not in GROUP_OF}
    for group, made in GROUPS.items():
        if mine := {name: value for name, value in options.items() if GROUP_OF.get(name) == group}:
            grouped[group] = made(**mine)
    return grouped
