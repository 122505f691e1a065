"""Reports on pairs made by hand: as `parity.compare` makes them of a ResNet, of any length, and with hostile names."""

import random
from collections.abc import Sequence
from dataclasses import replace

from parity.checks.ladder import NAMES
from parity.checks.verdict import Finding, Rung, Verdict, rung, worst
from parity.report.pair import Report
from parity.report.records import Convention, Coverage, Difference, Input, Layer, Lint, Mapped

SAME, LESS, UNSURE, BAD = Verdict
MODES = ("evaluation", "training")
HOSTILE = '</script><img src=x onerror="document.title=1"><!--'
"""A module's path that would break out of a page that trusts it."""

PADDING = Lint(
    "ResidualBlock_2/Conv_0", "layer2.0.conv1", "padding", "((0, 1), (0, 1))", "((1, 1), (1, 1))",
    "convolution: padding SAME in Flax pads ((0, 1), (0, 1)) where PyTorch's (1, 1) pads ((1, 1), (1, 1)) (even sizes)",
    count=3,
)  # fmt: skip
BIASED = Convention("running_var_bias", "PyTorch's is larger by n / (n - 1) (n = 2048: 1.00049)", (4,), True, True)


def finding(
    quantity: str, name: str, mode: str = "", verdict: Verdict = SAME, shape: Sequence[int] = (2, 64), seed: int = 0
) -> Finding:
    """A finding with the numbers that its verdict would have."""
    rng = random.Random(f"{quantity} {name} {mode} {seed}")
    error = 10 ** rng.uniform(-7.3, -6)
    errors = {"flax": error, "torch": error * rng.uniform(0.5, 1.5)}
    share = rng.uniform(0.6, 6.5) if verdict is not BAD else 10 ** rng.uniform(13, 15)
    index = tuple(rng.randrange(n) for n in shape) if verdict is BAD else ()
    values = {"flax": rng.gauss(0, 1), "torch": rng.gauss(0, 1)} if verdict is BAD else {}
    bits = {side: 23.4 - rng.random() for side in errors}
    gap = share * 2.0**-29 * error
    return Finding(quantity, name, verdict, share, bits, index, values, mode=mode, gap=gap, errors=errors)


def layer(
    flax: str, torch: str, mode: str, verdict: Verdict = SAME, inherited: float = 2e-16, kind: str = "Conv / Conv2d"
) -> Layer:
    shape = (2, 64, 16, 16)
    gradient = finding("gradient of output", torch, mode, verdict, shape)
    return Layer(flax, torch, kind, mode, shape, finding("output", torch, mode, verdict, shape), inherited, gradient)


def mapped(flax: str, torch: str, role: str, proven: bool = True, note: str = "") -> Mapped:
    of = flax.rpartition("/")[0], torch.rpartition(".")[0]
    if role != "kernel":
        return Mapped(flax, torch, *of, role, (64,), (64,), "as it is", 64, proven, note)
    return Mapped(flax, torch, *of, role, (3, 3, 64, 64), (64, 64, 3, 3), "OIHW → HWIO", 36864, proven, note)


def names(count: int) -> list[tuple[str, str, str]]:
    """(Flax's, PyTorch's, type) of that many layers, as a residual network has them."""
    found = [("stem", "conv1", "Conv / Conv2d"), ("BatchNorm_0", "bn1", "BatchNorm / BatchNorm2d")]
    for block in range(max(0, count - 3) // 4 + 1):
        stage, place = block // 2 + 1, block % 2
        for part in (1, 2):
            flax, torch = f"ResidualBlock_{block}", f"layer{stage}.{place}"
            found.append((f"{flax}/Conv_{part - 1}", f"{torch}.conv{part}", "Conv / Conv2d"))
            found.append((f"{flax}/BatchNorm_{part - 1}", f"{torch}.bn{part}", "BatchNorm / BatchNorm2d"))
    return [*found[: count - 1], ("Dense_0", "fc", "Dense / Linear")]


def layers(count: int, first_bad: int | None = None) -> list[Layer]:
    """That many layers in both modes; from `first_bad` on they differ, all but it by what they inherit."""
    found = []
    for mode in MODES:
        for place, (flax, torch, kind) in enumerate(names(count)):
            bad = first_bad is not None and place >= first_bad
            inherited = 3e-2 if bad and place != first_bad else 2e-16
            found.append(layer(flax, torch, mode, BAD if bad else SAME, inherited, kind))
    return found


def weights(count: int) -> list[Mapped]:
    found = []
    for flax, torch, kind in names(count):
        first = "kernel" if "Conv" in kind or "Dense" in kind else "scale"
        found.append(mapped(f"{flax}/{first}", f"{torch}.weight", first))
        if "Norm" in kind:
            found.append(mapped(f"{flax}/var", f"{torch}.running_var", "running_var"))
    return [*found, mapped("aux/kernel", "", "kernel", False, "no counterpart")]


def ladder(found: Sequence[Layer], lines: Sequence[Mapped], bad: bool) -> list[Rung]:
    """All six rungs of these layers and weights; those from the second to the fourth differ if `bad`."""
    verdict = BAD if bad else SAME
    outputs = [one.finding for one in found] + [finding("result", "network", mode, verdict, (2, 10)) for mode in MODES]
    learnt = [line.torch for line in lines if line.torch and line.role != "running_var"]
    gradients = [one.gradient for one in found if one.gradient]
    gradients += [finding("gradient", name, mode, verdict) for mode in MODES for name in learnt]
    buffers = [finding("buffer", line.torch, "training", verdict, (64,)) for line in lines if "var" in line.role]
    steps = [finding("optimizer", f"a after step {step}") for step in range(1, 6)]
    losses = [finding("loss", f"step {step}") for step in range(1, 4)]
    structure = Finding("weight map", "", SAME, reason=f"{len(lines)} pairs of layers")
    each = [[structure], outputs, gradients, buffers, steps, losses]
    return [rung(number, NAMES[number], findings) for number, findings in enumerate(each, start=1)]


def report(count: int = 20, first_bad: int | None = None, name: str = "resnet18") -> Report:
    """A whole report: the same, or different from the layer at `first_bad` on."""
    found, lines = layers(count, first_bad), weights(count)
    climbed = ladder(found, lines, first_bad is not None)
    return Report(
        name,
        worst(one.verdict for one in climbed),
        climbed,
        None if first_bad is None else difference(found[first_bad]),
        found,
        lines,
        () if first_bad is None else (PADDING,),
        (),
        Coverage(0.998, 1.0, ("aux",), ("avgpool", "layer1.0.relu", "maxpool")),
        {"flax": [2.302585, 2.1, 1.75], "torch": [2.302585, 2.1000000000000005, 1.7500000000000002]},
        ("probe of batch size 1 in training: skipped, BatchNorm needs more than one value",),
        repro_script="" if first_bad is None else "import jax\nimport torch\n\nprint('conv1 alone')\n",
        seconds={"map": 3.1, "passes": 30.5, "rest": 7.9, "total": 41.5},
        seed=7,
        device="cpu",
        inputs=(Input("['x']", (2, 64, 64, 3), "float32"),),
    )


def difference(bad: Layer) -> Difference:
    text = f"the output of {bad.torch} ({bad.type}) differs in {bad.mode} though its input agrees"
    mend = "write padding=((1, 1), (1, 1)) in Flax"
    return Difference(
        "forward", bad.flax, bad.torch, text, bad.finding.index, bad.finding.values, PADDING.text, mend, bad.mode
    )  # fmt: skip


def accepted(confirmed: bool = True, agreed: bool = True) -> Report:
    """A pair whose running variances differ by a convention; the verdict follows from what the user accepts."""
    made = report()
    state = rung(4, NAMES[4], [finding("buffer", "bn1.running_var", "training", BAD, (64,))])
    convention = replace(BIASED, confirmed=confirmed, accepted=agreed)
    rungs = [state if one.number == 4 else one for one in made.rungs]
    verdict = SAME if confirmed and agreed else BAD
    return replace(made, rungs=rungs, conventions=(convention,), verdict=verdict)


def unruled() -> Report:
    """A pair of which one layer could not be ruled on, without optimizers and without buffers."""
    made = report()
    cast = Finding("output", "head", UNSURE, float("inf"), reason="torch computes this in float32 even in float64")
    lazy = Finding("output", "fc", LESS, 1.2, {"flax": 23.0, "torch": 9.0}, reason="torch keeps 9 bits of 24")
    nothing = {"flax": float("nan")}
    more = [layer("head", "head", "evaluation", UNSURE), layer("fc", "fc", "training", LESS)]
    more = [replace(one, finding=f) for one, f in zip(more, (replace(cast, bits=nothing), lazy), strict=True)]
    found = [*made.layers, *more]
    rungs = [made.rungs[0], rung(2, NAMES[2], [one.finding for one in found]), made.rungs[2]]
    why = {4: "the map has no running statistics or other buffers", **dict.fromkeys((5, 6), "no optimizers were given")}
    return replace(made, verdict=UNSURE, rungs=rungs, layers=found, losses={}, seconds={}, not_run=why)


def empty() -> Report:
    """A report on nothing."""
    return Report("nothing", UNSURE, (), None, (), (), (), (), Coverage(0.0, 0.0))


def hostile() -> Report:
    """Every string that a network's author chooses is hostile."""
    made = report(6, 2, name=HOSTILE)
    bad = replace(layer(HOSTILE, f"a|b\n`{HOSTILE}", "training", BAD, kind=HOSTILE), inherited=float("inf"))
    bad = replace(bad, finding=replace(bad.finding, name=bad.torch, reason=f"\x1b[31m{HOSTILE}\ud800"))
    return replace(
        made,
        layers=[bad, *made.layers],
        rungs=[made.rungs[0], rung(2, NAMES[2], [bad.finding]), *made.rungs[2:]],
        first_difference=replace(difference(bad), text=HOSTILE, cause=HOSTILE, mend="{{SCRIPT}} ]]>"),
        weights=[mapped(f"{HOSTILE}/kernel", f"{HOSTILE}.weight", "kernel", note=HOSTILE), *made.weights],
        lints=(replace(PADDING, text=f"{HOSTILE} | <b>\n# head", layer_torch=HOSTILE),),
        conventions=(replace(BIASED, name=HOSTILE, text=HOSTILE),),
        coverage=Coverage(1.0, 0.5, (HOSTILE,), (HOSTILE,)),
        notes=(HOSTILE, "\x00\u2028"),
        inputs=(Input(f"[{HOSTILE!r}]", (2,), "float32"),),
        not_run={5: HOSTILE},
        repro_script=HOSTILE,
    )
