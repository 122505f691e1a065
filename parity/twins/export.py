"""A recipe's network as a file, proven again once it is loaded where this package is not."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from parity.backends import twin_class
from parity.backends.exported import exported
from parity.backends.exported.apart import Results, run_apart
from parity.checks.referee import HighLow, rule
from parity.checks.verdict import Finding, Verdict, worst
from parity.data import open_stream
from parity.files import write_atomically
from parity.interface import random as initial
from parity.interface.trace import Precision
from parity.recipes import Recipe

PRECISIONS: tuple[Precision, ...] = ("float64", "float32")
SIZES = (3, 5)
"""Examples of the batches that a file is tried on: it takes any number."""


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Args:
        path: the file; None where it was not kept, since it is not the same function.
        size: its bytes.
        findings: what was ruled of each batch that it was tried on.
    """

    path: Path | None
    size: int
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        return worst(finding.verdict for finding in self.findings)


def export(
    recipe: Recipe,
    framework: str,
    path: Path,
    *,
    precision: Precision = "float32",
    weights: Mapping[str, NDArray] | None = None,
    seed: int = 0,
) -> Exported:
    """Write a recipe's network, in evaluation mode, as a file that runs without this package, and prove it.

    The file is loaded in a process of its own, in which nothing of this package and no Flax can be imported, and run on
    two batches of the recipe's data. The referee holds it against the network that it was made of and against the
    reference, as it holds twins against each other: so that a file in the other precision is made too, and thrown away.

    Args:
        recipe: the recipe, whose network and data are taken.
        framework: "flax" or "torch" ("jax" is "flax").
        path: the file, which is written only if it is the same function.
        precision: the file's.
        weights: canonical weights; None draws the recipe's initial ones from the seed.
        seed: seed of the weights and of the batches.

    Raises:
        UsageError: the file cannot be written or run, the weights are not those of the network, or what is needed is
            not installed.
    """
    cls, reference = twin_class(framework), twin_class("numpy")
    model = cls.build(recipe.network, recipe.config, init=recipe.init)
    by_hand = reference(reference.build(recipe.network, recipe.config))
    values = initial.draw(by_hand.shapes(), recipe.init, seed) if weights is None else weights
    by_hand.load(values)
    batches = _batches(recipe, seed)
    contents: dict[Precision, bytes] = {}
    arguments: Results = {}
    for each in PRECISIONS:
        twin = cls(model, precision=each)
        twin.load(values)
        contents[each] = exported(twin, batches[0])
        arguments[each] = [twin.forward(batch, training=False) for batch in batches]
    given_apart = run_apart(cls.framework, contents, batches)
    findings = tuple(
        rule(
            "output",
            f"batch of {size}",
            {
                "file": HighLow(given_apart["float64"][i], given_apart["float32"][i]),
                "network": HighLow(arguments["float64"][i], arguments["float32"][i]),
                "numpy": HighLow(by_hand.forward(batch, training=False)),
            },
        )
        for i, (size, batch) in enumerate(zip(SIZES, batches, strict=True))
    )
    result = Exported(path, len(contents[precision]), findings)
    if not result.verdict.passes:
        return replace(result, path=None)
    write_atomically(path, contents[precision])
    return result


def _batches(recipe: Recipe, seed: int) -> list[Any]:
    stream = open_stream(
        recipe.check_data,
        batch_size=sum(SIZES),
        seed=seed,
        length=recipe.check_length or recipe.length,
        encoding=recipe.encoding,
        augment=False,
    )
    inputs = stream.batch(0, 0).inputs
    cuts = slice(SIZES[0]), slice(SIZES[0], None)
    if isinstance(inputs, tuple):
        return [tuple(array[cut] for array in inputs) for cut in cuts]
    return [inputs[cut] for cut in cuts]
