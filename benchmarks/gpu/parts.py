"""The parts of the record of a GPU: what each runs, for how long, and after which other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from benchmarks.contestants import ENTRIES, workload
from benchmarks.contestants.workload import PRECISIONS
from parity import recipes

OUT = "OUT"
"""Word of a command that stands for the file of its result."""
LIMIT = 480
"""Seconds after which a part is ended."""
GROUPS: Mapping[str, Sequence[str]] = {
    "ours": [name for name, entry in ENTRIES.items() if entry.track != "peer"],
    "peers": ["flax-tuned", "torch-tuned", *(name for name, entry in ENTRIES.items() if entry.track == "peer")],
}
"""Group of contestants that are timed together; the tuned tracks are in both, for ratios are taken within a run."""
MINUTES = {"points": 4.0, "rnn-5": 5.0, "rnn-30": 6.0, "mlp": 4.0, "vgg-32": 5.0, "vgg-256": 6.0}
"""Estimates for a group on a workload, none measured: most of it are starts of processes and PyTorch's compiler."""
ONE_PROCESS = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
"""Variables of a process in which both frameworks share the memory of a GPU."""
PAIRS = ("tests/pairs/resnet.py:resnet18", "tests/pairs/convnext.py:convnext", "tests/pairs/nanogpt.py:nanogpt")


@dataclass(frozen=True)
class Training:
    """The training runs of the record.

    Args:
        recipe: name of the recipe.
        seeds: seeds of the runs, each in both frameworks.
        unit: "epochs" or "steps".
        stretch: length of a part in that unit; each part but the first goes on from the checkpoint of the one before.
        stretches: number of parts of a run.
        minutes: estimate for a part.
    """

    recipe: str = "vgg"
    seeds: Sequence[int] = (0, 1, 2)
    unit: str = "epochs"
    stretch: int = 10
    stretches: int = 5
    minutes: float = 5.0


@dataclass(frozen=True)
class Size:
    """How much of everything is done.

    Args:
        precisions, workloads: what is timed: precisions of products, and names of workloads.
        groups: name of a group → contestants that are timed together.
        quick: whether speed is timed in one short round.
        recipes, pairs: what is proven on the device: names of recipes, and functions that make pairs.
        rungs: rungs of the recipes, as `parity check --rungs` takes them; "" for all.
        training: the training runs.
        together: recipe that is trained data-parallel on one device.
    """

    precisions: Sequence[str] = PRECISIONS
    workloads: Sequence[str] = tuple(MINUTES)
    groups: Mapping[str, Sequence[str]] = field(default_factory=lambda: GROUPS)
    quick: bool = False
    recipes: Sequence[str] = field(default_factory=recipes.every)
    pairs: Sequence[str] = PAIRS
    rungs: str = ""
    training: Training = field(default_factory=Training)
    together: str = "vgg"


FULL = Size()
QUICK = Size(
    precisions=("float32",),
    workloads=("points",),
    groups={"ours": ("flax-tuned", "torch-eager")},
    quick=True,
    recipes=("moons",),
    pairs=("tests/pairs/autoencoder.py:autoencoder",),
    rungs="structure,forward",
    training=Training("moons", seeds=(0,), unit="steps", stretch=20, stretches=2, minutes=0.5),
    together="moons",
)
"""The whole path in small, to see that it works."""


@dataclass(frozen=True)
class Part:
    """A part of the record.

    Args:
        name: its name in the command, and of its file.
        kind: "machine", "speed", "parity", "pair", "together" or "training".
        minutes: estimate of how long it takes on a GPU.
        says: what it is, in words.
        command: words after `python -m`; `OUT` stands for the file of its result.
        after: name of the part that must be there before; "" for none.
        codes: exit codes with which it has a result.
        variables: environment variables of its process.
        needs_images: whether it trains on images that the user names.
    """

    name: str
    kind: str
    minutes: float
    says: str
    command: Sequence[str]
    after: str = ""
    codes: Sequence[int] = (0,)
    variables: Mapping[str, str] = field(default_factory=dict)
    needs_images: bool = False


def parts(size: Size, device: str, runs: str, images: str | None) -> list[Part]:
    """All parts, the most wanted first.

    Args:
        size: how much of everything is done.
        device: "gpu", or "cpu" to try the path.
        runs: folder of the checkpoints of training runs.
        images: folder or zip of images to train on; None takes the recipe's own data, which are CIFAR-10's official
            files for an image network.
    """
    machine = Part("machine", "machine", 0.5, "driver, devices and versions", ("benchmarks.gpu.machine", OUT))
    return [
        machine,
        *_parity(size, device),
        *_together(size, device),
        *_speed(size, device),
        *_training(size.training, device, runs, images),
    ]


def _parity(size: Size, device: str) -> Iterator[Part]:
    options = ("--device", device, "--json", OUT, "--quiet")
    rungs = ("--rungs", size.rungs) if size.rungs else ()
    for name in size.recipes:
        command = ("parity", "check", name, *options, *rungs)
        says = f"{name}'s twins, proven on the device"
        yield Part(f"parity-{name}", "parity", 1.5, says, command, codes=(0, 1, 3), variables=ONE_PROCESS)
    for target in size.pairs:
        name = target.rpartition(":")[2]
        command = ("parity", "check", target, *options)
        says = f"a public pair, {name}, checked on the device"
        yield Part(f"pair-{name}", "pair", 2.0, says, command, codes=(0, 1, 3), variables=ONE_PROCESS)


def _together(size: Size, device: str) -> Iterator[Part]:
    for framework in ("jax", "torch"):
        command = ("benchmarks.gpu.together", framework, size.together, device, OUT)
        says = f"{size.together} in {framework}, data-parallel on one device, against plain training"
        yield Part(f"together-{framework}", "together", 2.0, says, command, variables=ONE_PROCESS)


def _speed(size: Size, device: str) -> Iterator[Part]:
    for precision, name, group in product(size.precisions, size.workloads, size.groups):
        contestants = size.groups[group]
        listed = [word for contestant in contestants for word in ("--contestant", contestant)]
        rounds = ("--quick",) if size.quick else ("--rounds", "3")
        command = ("benchmarks", "run", "--workload", name, *listed, "--precision", precision, "--device", device)
        says = f"{workload.load(name).title} in {precision}: {', '.join(contestants)}"
        yield Part(f"speed-{precision}-{name}-{group}", "speed", MINUTES[name], says, (*command, *rounds, "--out", OUT))


def _training(training: Training, device: str, runs: str, images: str | None) -> Iterator[Part]:
    for seed, framework in product(training.seeds, ("jax", "torch")):
        before = ""
        for number in range(1, training.stretches + 1):
            name, length = f"train-{framework}-{seed}-{number}", number * training.stretch
            place = ("--images", images) if images else ()
            words = (framework, training.recipe, "--seed", str(seed), f"--{training.unit}", str(length), *place)
            folder = ("--run", f"{runs}/{framework}-{seed}", "--device", device, "--out", OUT)
            says = f"{training.recipe} in {framework}, seed {seed}, up to {length} {training.unit}"
            needs = recipes.load(training.recipe).data == "cifar10"
            command = ("benchmarks.gpu.training", *words, *folder)
            yield Part(name, "training", training.minutes, says, command, before, needs_images=needs)
            before = name
