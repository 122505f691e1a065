"""The fields of a report on a pair: plain values only, ready for every form of output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parity.checks.verdict import Finding, Rung, Verdict
from parity.interface.programs.undone import Undone

SIDES = ("flax", "torch")
PAIR_RUNGS = tuple(range(1, 7))
"""Numbers of the rungs that a user's pair can have."""


@dataclass(frozen=True)
class Layer:
    """One call of a Flax module beside the call of its PyTorch twin; reports list them in the order in which calls end.

    Args:
        flax, torch: names of the calls, such as "Conv_0" and "layer1.0.conv1"; "[2]" follows for a module's third call.
        type: names of the classes, such as "Conv / Conv2d".
        mode: "evaluation" or "training".
        shape: shape of the (first) output, in PyTorch's layout.
        finding: the referee's finding on the output; its errors, bits and values are keyed by "flax" and "torch".
        inherited: gap between the inputs in float64, relative to their size; the outputs' gap is that of `finding`.
        gradient: the referee's finding on the gradient with respect to the output, if there is one. Rung 3 rules on it,
            so where a convention of the forward pass was undone, it is the gradient without that convention.
        alone: the referee's finding on the output where both layers are fed the same input, so that gap and errors are
            those that the layer introduces itself; only in training, and only for layers that hold no other.
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
    """One line of the weight map: a canonical array, and the native arrays that hold it.

    Args:
        flax, torch: native names (several joined with " + "), "" where that side has none.
        layer_flax, layer_torch: paths of the modules.
        role: the field's word for the array, such as "kernel" or "running_var".
        shape_flax, shape_torch: shapes of the native arrays.
        how: the change of layout in words, such as "OIHW → HWIO"; "as it is" where there is none.
        size: number of elements.
        proven: whether the outputs agree in float64 with random numbers in this array, and depend on them.
        note: a remark, where one is due (other candidates, no counterpart, no effect); else "".
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
    """A setting that the two sides declare differently.

    Args:
        layer_flax, layer_torch: paths of the two layers, the first of several that differ alike.
        setting: name of the setting, such as "eps" or "keep".
        flax, torch: the two values, as text.
        text: a sentence with both values.
        count: number of layer pairs that differ so.
        convention: its name in `parity conventions`; "" if it has none.
        mend: what to write instead; "" where it is not known.
        confirmed: whether the networks agree once it is undone.
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
    confirmed: bool = False


@dataclass(frozen=True)
class Explanation:
    """A cause that was proven.

    Args:
        cause, mend: the cause, and what to write instead.
        proof: how far the gap falls when it is undone, and on which side.
        undone: what was undone; empty where that is not told.
    """

    cause: str
    mend: str
    proof: str
    undone: Sequence[Undone] = ()


@dataclass(frozen=True)
class Difference:
    """The first difference between the two networks.

    Args:
        rung: name of the rung.
        layer_flax, layer_torch: paths of the two layers that differ.
        text: the difference in one sentence.
        index: index of the worst element; empty where there is none.
        values: each side's float64 value at that index, by side.
        cause, mend: the cause and what to write instead; "" where it is not recognised.
        mode: "evaluation" or "training"; "" where the rung has no mode.
        proof: how far the gap falls when the cause is undone, and on which side; "" where that was not tried.
        suspected: what may be the cause, and was not proven.
        lines: each side's line of the operation that differs, by side, as "file.py:12"; empty where it is not known.
        further: what else differs once the cause is undone, in order, each with its cause where that is found; none of
            these has further ones of its own.
        rest: what is left once all of them are undone, in one sentence; "" where that is not known.
        undone: what was undone to prove the cause, for who writes the mend into a source.
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
    proof: str = ""
    suspected: Sequence[str] = ()
    lines: Mapping[str, str] = field(default_factory=dict)
    further: Sequence["Difference"] = ()
    rest: str = ""
    undone: Sequence[Undone] = ()


@dataclass(frozen=True)
class Input:
    """An input array of the pair; its name is its place among the inputs, such as "[0]" or "['x']"."""

    name: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Convention:
    """A difference of convention between the frameworks that was recognised in the pair.

    Args:
        name: its name in `parity conventions`.
        text: what differs, quantified.
        rungs: numbers of the rungs that it explains.
        confirmed: whether the gap falls to rounding once the convention is undone.
        accepted: whether the user accepts it as no difference.
    """

    name: str
    text: str
    rungs: tuple[int, ...]
    confirmed: bool
    accepted: bool


def excusing(conventions: Sequence[Convention], number: int) -> list[Convention]:
    """The accepted conventions that excuse a rung, since they explain all that differs on it.

    Each is confirmed to explain the rung. It is empty where one of them is not accepted.
    """
    confirmed = [convention for convention in conventions if convention.confirmed and number in convention.rungs]
    return confirmed if all(convention.accepted for convention in confirmed) else []


@dataclass(frozen=True)
class Coverage:
    """How much of the pair was compared.

    Args:
        parameters: share (0 to 1) of the parameters that the weight map pairs.
        layers: share (0 to 1) of the calls of modules with arrays that were compared.
        unpaired_flax, unpaired_torch: names of the calls without a partner.
    """

    parameters: float
    layers: float
    unpaired_flax: Sequence[str] = ()
    unpaired_torch: Sequence[str] = ()


@dataclass(frozen=True)
class ReportData:
    """The results of a check of a user's pair or of a recipe.

    Args:
        name: the pair's or the recipe's name.
        verdict: the overall verdict; accepted conventions do not spoil it.
        rungs: the rungs that were climbed; a probe beyond the user's inputs is one of the findings of its rung.
        first_difference: the first difference, if there is one.
        layers: the calls that were compared, in both modes.
        weights: the weight map, one entry for each canonical array.
        lints: settings that the two sides declare differently.
        conventions: differences of convention that were recognised.
        coverage: how much of the pair was compared.
        losses: the loss at each training step, by side; empty without optimizers.
        not_run: number of a rung that is not there → the reason, where there is one to give.
        notes: remarks that the user should read (skipped probes, hard casts, …).
        repro_script: Python source that reproduces the first difference on the layer alone; "" if there is none.
        seconds: duration of the whole check under "total", and of its parts.
        seed: seed of the weights, cotangents and all other draws; None where nothing was drawn.
        device: the device on which both frameworks computed.
        inputs: name, shape and dtype of the input arrays.
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
