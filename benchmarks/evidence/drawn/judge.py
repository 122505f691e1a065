"""The check's judgement on a drawn network, as drawn or with a bug in one side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.evidence.drawn.mutate import Mutant
from benchmarks.evidence.drawn.network import VOCABULARY, Network
from parity.checks.referee import only_rounding
from parity.checks.verdict import Finding, Rung, Verdict
from parity.pair.api import compare
from parity.pair.options import Checks
from parity.report.pair import Report
from parity.report.records import excusing

ACCEPTED = ("running_var_bias",)
"""Flax's own BatchNorm keeps a biased running variance, by design."""


@dataclass(frozen=True)
class Judged:
    """The judgement on one network.

    Args:
        verdict: the verdict of the report.
        rung, layer: rung and PyTorch layer of the first difference; "" where there is none.
        reason: the reason of the first rung that could not be ruled on; "" where there is none.
        share: the largest gap that passed, over expected rounding, on the rungs that no accepted convention excuses.
        rounding: the largest gap that passed between arrays that are nothing but rounding, which `share` leaves out:
            numbers that are zero in theory may be zero in float32 by luck.
        told: the largest gap by which the networks were called different; 0 where no such gap is a number.
        causes: the causes that were proven by undoing them, each with its mend.
    """

    verdict: Verdict
    rung: str
    layer: str
    reason: str
    share: float
    rounding: float
    told: float
    causes: tuple[str, ...] = ()


def judge(network: Network, mutant: Mutant | None = None, *, seed: int = 0) -> Judged:
    """Build both sides, compare them, and sum up the report."""
    report = compared(network, mutant, seed=seed)
    first = report.first_difference
    unsure = next((_reason(rung) for rung in report.rungs if rung.verdict is Verdict.INCONCLUSIVE), "")
    counted = [rung for rung in report.rungs if not excusing(report.conventions, rung.number)]
    findings = [finding for rung in counted for finding in rung.findings if np.isfinite(finding.share)]
    passed = [finding for finding in findings if finding.verdict.passes]
    caught = [finding for finding in findings if finding.verdict is Verdict.DIFFERENT]
    held, rounding = ([finding for finding in passed if only_rounding(finding) is apart] for apart in (False, True))
    gaps = (_largest(held), _largest(rounding), _largest(caught))
    rung, layer = (first.rung, first.layer_torch) if first else ("", "")
    every = [first, *first.further] if first else []
    causes = tuple(f"{each.cause}; {each.mend}" for each in every if each.cause and each.proof)
    return Judged(report.verdict, rung, layer, unsure, *gaps, causes)


def _largest(findings: Sequence[Finding]) -> float:
    return max((finding.share for finding in findings), default=0.0)


def _reason(rung: Rung) -> str:
    return rung.reason or (rung.headline.reason if rung.headline else "")


def compared(network: Network, mutant: Mutant | None = None, *, seed: int = 0, **more: Any) -> Report:
    """Build both sides and give the report on the pair; `more` are options of `parity.compare`."""
    from benchmarks.evidence.drawn import flax as flax_
    from benchmarks.evidence.drawn import torch as torch_

    networks = {side: mutant.network if mutant and mutant.side == side else network for side in ("flax", "torch")}
    options = {"to_torch": "NHWC->NCHW", **more} if len(network.shape) == 3 else more
    flax, torch = flax_.Drawn(networks["flax"]), torch_.Drawn(networks["torch"])
    arguments = inputs(network)
    feed = arguments if len(arguments) > 1 else arguments[0]
    checks = Checks(accept=ACCEPTED, probes=False)
    return compare(flax, torch, feed, checks=checks, seed=seed, name="drawn", **options)


def inputs(network: Network, seed: int = 1) -> tuple[NDArray, ...]:
    """A batch of random inputs for a network: float32, channels last, or ids for an embedding; and a mask if asked."""
    rng, shape = np.random.default_rng(seed), (network.batch, *network.shape)
    tokens = network.blocks[0].kind == "embedding"
    x = rng.integers(0, VOCABULARY, shape) if tokens else rng.standard_normal(shape).astype(np.float32)
    return (x, mask(network, rng)) if network.mask else (x,)


def mask(network: Network, rng: np.random.Generator) -> NDArray:
    """A mask (batch, time) of which each row has steps that are there, the first of them, and steps that are not."""
    time = network.shape[0]
    there = rng.integers(1, time, (network.batch, 1)) > np.arange(time)
    return there.astype(network.mask)
