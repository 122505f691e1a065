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
        id: name of the bug.
        mechanism: the fault, in one line.
        side: framework in which it is planted.
        pair: name of the small pair in which it is planted.
        rung: number of the rung that must catch it; 0 for a control.
        layer: layer or quantity that the rung must name; PyTorch's name of it, in a brought pair.
        row: number of the row in docs/porting-bugs.md that documents it.
        hides: circumstances that make it invisible; "" where none are known.
        verdict: verdict that the rung must give.
        plant: settings of that side of a brought pair; empty where the bug is planted in a twin by its id.
        devices: number of devices on which it is trained too, for rung 10; 0 where one is enough.
        cause: words in which rung 10 must name the cause; "" where it need not.
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
        """The links of its row in docs/porting-bugs.md, to reports of the bug or to a document of the convention.

        There are none where the bug was only measured.
        """
        return LINKS.get(self.row, ())


def control(
    id: str, mechanism: str, side: Literal["flax", "torch"], pair: str, row: str, *, devices: int = 0, **plant: Any
) -> Bug:
    """Make a control: a change that computes the same function another way, so that every rung must say *same*."""
    return Bug(id, mechanism, side, pair, 0, "", row, verdict=Verdict.SAME, plant=plant, devices=devices)
