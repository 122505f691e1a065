"""Rung 10, with runs made by hand."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from parity.checks import devices
from parity.checks.devices import APART, BY_DESIGN, LEFT_OUT, ONE_FOR_ALL, OTHERS, REPEATED, Drift
from parity.checks.verdict import Rung, Verdict
from parity.interface.trace import Arrays, WatchedRun
from tests.checks.made import numbers

STEPS, BATCH = 2, ("a", "b", "c", "d", "e")
PARTS = (("a", "b", "c"), ("d", "e"))
NAMES = ("conv.kernel", "norm.scale")
Spoil = Callable[[WatchedRun], WatchedRun]


def off(x: Any, by: float = 1e-6) -> NDArray:
    return np.asarray(x) * (1 + by)


def arrays(seed: int, *names: str) -> Arrays:
    return {name: numbers(seed + i, 5, 3) / 3 for i, name in enumerate(names)}


def run(by: float = 0.0, fed: Any = (BATCH,)) -> WatchedRun:
    """A run, all of whose numbers are off by a share."""
    made = [arrays(step, *NAMES) for step in range(STEPS)]
    kept = [arrays(7 + step, "norm.running_mean", "block.later.running_mean") for step in range(STEPS)]
    put = [{name: off(a, by) for name, a in step.items()} for step in (*made, *kept, arrays(9, *NAMES))]
    return WatchedRun([fed] * STEPS, off([2.0, 1.5], by), put[:STEPS], put[STEPS : 2 * STEPS], put[-1])


def ruled(
    spoil: Mapping[tuple[str, int], Spoil] | None = None,
    ways: Mapping[str, devices.Step] | None = None,
    *,
    counts: tuple[int, ...] = (2,),
    apart: bool = False,
    drift: float = 1e-15,
) -> Rung:
    """The rung's, with some runs on several devices spoiled."""
    alone = {framework: run() for framework in ("flax", "torch", "numpy")}
    moved = {framework: run(drift) for framework in alone}
    same: Spoil = lambda found: found  # noqa: E731 - a default
    several = {
        n: {f: (spoil or {}).get((f, n), same)(run(2e-16, fed=PARTS)) for f in ("flax", "torch")} for n in counts
    }
    return devices.devices(Drift(alone, moved), several, lambda n: iter((ways or {}).items()), apart=apart)


def at(kind: str, step: int, name: str) -> Spoil:
    """With an array of a step off."""

    def spoil(found: WatchedRun) -> WatchedRun:
        kept = list(getattr(found, kind))
        kept[step] = {n: off(a) if n == name else a for n, a in kept[step].items()}
        changed: dict[str, Any] = {kind: kept}
        return replace(found, **changed)

    return spoil


def loss_off(step: int, by: float = 1e-6) -> Spoil:
    return lambda found: replace(found, losses=off(found.losses, by * (np.arange(STEPS) == step)))


def fed(*parts: str) -> Spoil:
    return lambda found: replace(found, fed=[[*map(tuple, parts)], found.fed[1]])


def test_equal_runs_are_the_same_on_any_number_of_devices() -> None:
    rung = ruled(counts=(2, 4))
    assert (rung.number, rung.name, rung.verdict, rung.layer, rung.cause) == (10, "devices", Verdict.SAME, "", "")
    assert {f.mode for f in rung.findings} == {
        *(f"{framework}, {n} devices against 1" for framework in ("flax", "torch") for n in (2, 4)),
        *(f"{n} devices, flax against torch" for n in (2, 4)),
    }
    assert {f.quantity for f in rung.findings} == {
        "parts of the batch", "buffer", "loss", "reduced gradient", "parameter afterwards",
    }  # fmt: skip
    assert max(f.share for f in rung.findings) > 0
    assert [f.name for f in rung.findings if f.quantity == "parts of the batch"][:2] == ["step 1", "step 2"]
    names = [f.name for f in rung.findings if f.quantity == "parameter afterwards"]
    assert names == [*NAMES] * 6


def test_runs_on_several_devices_are_compared_with_each_other_too() -> None:
    further = {("flax", 2): loss_off(0, 4e-14), ("torch", 2): loss_off(0, -4e-14)}
    (wrong,) = [f for f in ruled(further, drift=1e-17).findings if f.verdict is Verdict.DIFFERENT]
    assert (wrong.mode, [*wrong.values]) == ("2 devices, flax against torch", ["flax on 2", "torch on 2"])
    assert ruled(further, drift=1e-15).verdict is Verdict.SAME  # as far as one device drifts


@pytest.mark.parametrize(
    ("spoil", "quantity", "name", "layer"),
    [
        (at("buffers", 0, "block.later.running_mean"), "buffer", "block.later.running_mean, step 1", "block.later"),
        (at("buffers", 1, "norm.running_mean"), "buffer", "norm.running_mean, step 2", "norm"),
        (at("gradients", 1, "norm.scale"), "reduced gradient", "norm.scale, step 2", ""),
        (loss_off(0), "loss", "loss, step 1", ""),
        (lambda found: replace(found, parameters=run(1e-6).parameters), "parameter afterwards", "conv.kernel", ""),
    ],
)
@pytest.mark.parametrize("framework", ["flax", "torch"])
def test_the_first_that_differs_is_the_headline(framework, spoil, quantity, name, layer) -> None:
    rung = ruled({(framework, 2): spoil})
    assert rung.headline is not None
    found = (rung.verdict, rung.headline.quantity, rung.headline.name, rung.layer, rung.headline.mode)
    assert found == (Verdict.DIFFERENT, quantity, name, layer, f"{framework}, 2 devices against 1")
    assert rung.cause == ""


def test_arrays_are_in_the_order_of_the_reference() -> None:
    other = run()
    reference = replace(other, parameters=dict(reversed(other.parameters.items())))
    alone = {"flax": other, "torch": other, "numpy": reference}
    found = devices.devices(Drift(alone, alone), {2: {"flax": other}}, lambda n: iter(()), apart=False)
    assert [f.name for f in found.findings if f.quantity == "parameter afterwards"] == [*reversed(NAMES)]


def test_each_number_of_devices_is_looked_at() -> None:
    rung = ruled({("torch", 4): loss_off(1)}, counts=(2, 4))
    assert rung.headline is not None
    assert rung.headline.mode == "torch, 4 devices against 1"


def test_drift_of_one_device_is_no_difference_of_several() -> None:
    sound, alone = run(1e-13, fed=PARTS), {f: run() for f in ("flax", "torch", "numpy")}
    far = devices.devices(Drift(alone, {f: run(1e-15) for f in alone}), {2: {"flax": sound}}, iter, apart=False)  # type: ignore[arg-type] # no way is asked for
    near = devices.devices(
        Drift(alone, {f: run(1e-17) for f in alone}), {2: {"flax": sound}}, lambda n: iter(()), apart=False
    )
    assert far.verdict is Verdict.SAME
    assert near.verdict is Verdict.DIFFERENT


@pytest.mark.parametrize(
    ("parts", "cause", "had"),
    [
        (("abc", "dea"), REPEATED, "6 examples as 3 + 3"),
        (("ab", "cd"), LEFT_OUT, "4 examples as 2 + 2"),
        (("abc", "abc"), ONE_FOR_ALL, "6 examples as 3 + 3"),
        (("abc", "abx"), OTHERS, "6 examples as 3 + 3"),
    ],
)
def test_parts_that_are_not_the_batch_are_told(parts, cause, had) -> None:
    rung = ruled({("torch", 2): fed(*parts)})
    assert rung.headline is not None
    assert (rung.verdict, rung.headline.quantity, rung.cause) == (Verdict.DIFFERENT, "parts of the batch", cause)
    assert rung.headline.reason == f"5 examples as 5 (torch); {had} (torch on 2)"


def test_parts_may_have_another_order() -> None:
    assert ruled({("torch", 2): fed("ace", "bd")}).verdict is Verdict.SAME


def wrong(share: float = 3.0) -> tuple[Spoil, devices.Step]:
    """A run whose first step is wrong in one way, and that way's step."""
    step = run(share)
    loss, gradients, buffers = step.losses[0], step.gradients[0], step.buffers[0]

    def spoil(found: WatchedRun) -> WatchedRun:
        return replace(
            found,
            losses=np.array([loss, found.losses[1]]),
            gradients=[gradients, found.gradients[1]],
            buffers=[buffers, found.buffers[1]],
        )

    return spoil, (loss, gradients, buffers)


def test_the_way_that_gives_the_same_numbers_is_the_cause() -> None:
    spoil, step = wrong()
    others = {"first": wrong(2.0)[1], "second": step, "third": step}
    assert ruled({("flax", 2): spoil}, others).cause == "second"
    assert ruled({("flax", 2): spoil}, {"first": wrong(2.0)[1]}).cause == ""


def test_ways_are_those_of_as_many_devices() -> None:
    spoil, step = wrong()
    alone, asked = {framework: run() for framework in ("flax", "numpy")}, []

    def ways(count: int) -> Iterator[tuple[str, devices.Step]]:
        asked.append(count)
        yield "a way", step

    found = devices.devices(Drift(alone, alone), {4: {"flax": spoil(run(fed=PARTS))}}, ways, apart=False)
    assert (found.cause, asked) == ("a way", [4])


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_way_must_give_all_of_the_step(part) -> None:
    spoil, step = wrong()
    almost: Any = [*step]
    almost[part] = wrong(2.0)[1][part]
    assert ruled({("flax", 2): spoil}, {"almost": tuple(almost)}).cause == ""


def test_what_is_wrong_later_only_is_no_way_of_the_first_step() -> None:
    first = run()
    step = first.losses[0], first.gradients[0], first.buffers[0]
    assert ruled({("flax", 2): loss_off(1)}, {"sound": step}).cause == ""


def test_statistics_apart_are_by_design_where_they_are_asked_for_and_everywhere() -> None:
    spoil, step = wrong()
    both = {("flax", 2): spoil, ("torch", 2): spoil}
    assert ruled(both, {APART: step}, apart=True).cause == BY_DESIGN
    assert ruled(both, {APART: step}).cause == APART
    assert ruled({("flax", 2): spoil}, {APART: step}, apart=True).cause == ""  # torch did not do it
    other, another = wrong(2.0)
    found = ruled({("flax", 2): spoil, ("torch", 2): other}, {APART: step, "another": another}, apart=True)
    assert found.cause == "another"


def test_what_cannot_be_compared_is_told_with_its_place() -> None:
    found = ruled({("torch", 2): lambda run: replace(run, losses=run.losses * np.nan)})
    assert found.headline is not None
    assert (found.headline.mode, found.headline.name) == ("torch, 2 devices against 1", "loss, step 1")
    assert found.headline.reason == "numbers that are not finite: 0 in torch, 1 in torch on 2"
