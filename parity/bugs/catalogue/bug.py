"""A planted bug as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from parity.bugs.catalogue.evidence import LINKS
from parity.checks.verdict import Verdict


@dataclass(frozen=True)
class Bug:
    """One planted bug.

    Args:
        id: its name.
        mechanism: what is wrong, in one line.
        side: framework in which it is planted.
        pair: small pair in which it is planted.
        rung: where it must be caught; 0 for a control.
        layer: what must be named: PyTorch's name of it, in a brought pair.
        row: of docs/porting-bugs.md, where it is documented.
        hides: what makes it invisible.
        verdict: what the rung must say.
        plant: settings of that side of a brought pair; empty where the bug is planted in a twin by its id.
        devices: on so many it trains too, for rung 10; 0 where one is enough.
        cause: words that rung 10 must find for it.
    """

    id: str
    mechanism: str
    side: Literal["flax", "torch"]
    pair: str
    rung: int
    layer: str
    row: str
    hides: str = ""
    verdict: Verdict = Verdict.DIFFERENT
    plant: Mapping[str, Any] = field(default_factory=dict)
    devices: int = 0
    cause: str = ""

    @property
    def is_control(self) -> bool:
        """Whether it is a negative control."""
        return self.rung == 0

    @property
    def evidence(self) -> tuple[str, ...]:
        """Links to where somebody met it, or to where the convention is documented; none where it was only measured.
        They are those of its row in docs/porting-bugs.md."""
        return LINKS.get(self.row, ())


def control(
    id: str, mechanism: str, side: Literal["flax", "torch"], pair: str, row: str, *, devices: int = 0, **plant: Any
) -> Bug:
    """The same function by another way: every rung must say *same*."""
    return Bug(id, mechanism, side, pair, 0, "", row, verdict=Verdict.SAME, plant=plant, devices=devices)
