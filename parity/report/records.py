"""What a report on a pair holds: plain values only, ready for every form of output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parity.checks.verdict import Finding, Rung, Verdict

SIDES = ("flax", "torch")
PAIR_RUNGS = tuple(range(1, 7))
"""Numbers of the rungs that a pair which a user brought can have."""


@dataclass(frozen=True)
class Layer:
    """One pair of calls, in the order in which the calls end.

    Args:
        flax, torch: names of the calls, such as "Conv_0" and "layer1.0.conv1"; "[2]" behind for the third of several.
        type: names of the classes, such as "Conv / Conv2d".
        mode: "evaluation" or "training".
        shape: of the (first) output, in PyTorch's layout.
        finding: the referee's on the output: verdict, share, gap, errors, bits. Names and values are by side.
        inherited: gap between the inputs in float64, relative to their size; the gap of the outputs is finding's.
        gradient: the referee's on the gradient with respect to the output, if there is one: that which rung 3 rules on,
            so where a convention of the forward pass was undone, without it.
        alone: the referee's on the output where both sides' layer is fed the same, so that gap and errors are those
            that the layer introduces itself; in training, and of layers that hold no other.
    """

    flax: str
    torch: str
    type: str
    mode: str
    shape: tuple[int, ...]
    finding: Finding
    inherited: float = 0.0
    gradient: Finding | None = None
    alone: Finding | None = None


@dataclass(frozen=True)
class Mapped:
    """One line of the weight map: a canonical array and who holds it.

    Args:
        flax, torch: native names (several joined with " + "), "" where that side has none.
        layer_flax, layer_torch: paths of the modules.
        role: "kernel", "running_var" …
        shape_flax, shape_torch: of the native arrays.
        how: in words, such as "OIHW → HWIO"; "as it is".
        size: numbers in it.
        proven: the outputs agree in float64 with random numbers in this array, and it has an effect on them.
        note: in words, where there is something to say (other candidates, no counterpart, no effect).
    """

    flax: str
    torch: str
    layer_flax: str
    layer_torch: str
    role: str
    shape_flax: tuple[int, ...]
    shape_torch: tuple[int, ...]
    how: str
    size: int
    proven: bool
    note: str = ""


@dataclass(frozen=True)
class Lint:
    """A setting on which the two sides differ as declared.

    Args:
        layer_flax, layer_torch: where (the first of several that differ alike).
        setting: "eps", "keep" …
        flax, torch: the values.
        text: in words, with both values.
        count: of layer pairs that differ so.
        convention: its name in `parity conventions`, if it has one.
        mend: what to write, where it is known.
    """

    layer_flax: str
    layer_torch: str
    setting: str
    flax: str
    torch: str
    text: str
    count: int = 1
    convention: str = ""
    mend: str = ""


@dataclass(frozen=True)
class Difference:
    """The first difference, for people.

    Args:
        rung: name of the rung.
        layer_flax, layer_torch: where it is.
        text: one sentence.
        index, values: of the worst element, and each side's float64 value there.
        cause, mend: where it is recognised.
        mode: "evaluation" or "training", where it was seen; "" where there is none.
    """

    rung: str
    layer_flax: str
    layer_torch: str
    text: str
    index: tuple[int, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    cause: str = ""
    mend: str = ""
    mode: str = ""


@dataclass(frozen=True)
class Input:
    """An array that the user gave: its place among the inputs, such as "[0]" or "['x']"."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Convention:
    """A difference of convention that was recognised and confirmed.

    Args:
        name: in `parity conventions`.
        text: what it is, quantified.
        rungs: numbers of the rungs that it explains.
        confirmed: with the convention undone the gap falls to rounding.
        accepted: by the user.
    """

    name: str
    text: str
    rungs: tuple[int, ...]
    confirmed: bool
    accepted: bool


def excusing(conventions: Sequence[Convention], number: int) -> list[Convention]:
    """The accepted conventions that explain all that differs on a rung: they are confirmed, and no confirmed one beside
    them is not accepted. None, if it does not stand excused."""
    here = [one for one in conventions if one.confirmed and number in one.rungs]
    return here if all(one.accepted for one in here) else []


@dataclass(frozen=True)
class Coverage:
    """Shares (0 to 1) of parameters mapped and of layers (calls of modules that hold arrays) compared, and the rest."""

    parameters: float
    layers: float
    unpaired_flax: Sequence[str] = ()
    unpaired_torch: Sequence[str] = ()


@dataclass(frozen=True)
class ReportData:
    """What a check found, of a pair that a user brought or of a recipe.

    Args:
        name: of the pair or of the recipe.
        verdict: overall; accepted conventions do not spoil it.
        rungs: of the ladder, as far as it applies; a probe beyond the user's inputs is one of the findings of its rung.
        first_difference: if there is one.
        layers, weights, lints, conventions, coverage: see there.
        losses: of the trajectory, by side; empty without optimizers.
        not_run: why a rung is not there, by number, where there is a reason to give.
        notes: what the user should know (skipped probes, hard casts, …).
        repro_script: Python source that reproduces the first difference on the layer alone; "" if there is none.
        seconds: of the whole, and by part.
        seed: of weights, cotangents and what else was drawn; None where nothing was.
        device: on which both frameworks computed.
        inputs: the arrays that the user gave.
        repro_arrays: the .npz file that the script reads, if it does.
        ladder: numbers of the rungs that this kind of pair can have. Nobody gives the initialisation and the data of a
            user's pair to be compared, so that those rungs are a recipe's only.
        data: name of the data that a recipe was checked on; "" for a user's pair.
        frameworks: the implementations that were compared, as people call them.
    """

    name: str
    verdict: Verdict
    rungs: Sequence[Rung]
    first_difference: Difference | None
    layers: Sequence[Layer]
    weights: Sequence[Mapped]
    lints: Sequence[Lint]
    conventions: Sequence[Convention]
    coverage: Coverage
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)
    notes: Sequence[str] = ()
    not_run: Mapping[int, str] = field(default_factory=dict)
    repro_script: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    seed: int | None = None
    device: str = ""
    inputs: Sequence[Input] = ()
    repro_arrays: bytes = b""
    ladder: Sequence[int] = PAIR_RUNGS
    data: str = ""
    frameworks: Sequence[str] = ("Flax", "PyTorch")

    @property
    def headline(self) -> Rung | None:
        """The first rung that does not pass; if all pass, the first that is not plainly the same; else None."""
        failed = [rung for rung in self.rungs if not rung.verdict.passes]
        return next(iter(failed or [rung for rung in self.rungs if rung.verdict is not Verdict.SAME]), None)
