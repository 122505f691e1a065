"""The vanishing gradient: how much of the loss's gradient reaches each hidden state."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity.backends import Twin
from parity.checks.referee import rule_drift
from parity.data import Batch
from parity.interface.trace import Arrays, call_path
from parity.reference import softmax_cross_entropy

STATES = ("tanh", "cell")
"""Layers whose output is h_t."""


def hidden_gradients(twin: Twin, weights: Arrays, batch: Batch) -> list[float]:
    """‖∂loss/∂h_t‖ for t = 1, 2, …, over the whole batch; the loss is the batch's mean."""
    twin.load(weights)
    logits = twin.forward(batch.inputs, training=True)
    _, cotangent = softmax_cross_entropy(logits, batch.labels)
    gradients = twin.trace(batch, cotangent, training=True).gradients.outputs
    return [float(np.linalg.norm(gradient)) for call, gradient in gradients.items() if call_path(call) in STATES]


def compare(norms: Mapping[str, list[float]]) -> dict[str, Any]:
    """Let the referee judge the norms that several frameworks computed in float64; return its verdict and share."""
    arrays = {framework: np.array(values) for framework, values in norms.items()}
    finding = rule_drift("gradient norm", "hidden states", arrays, {})
    return {"verdict": finding.verdict, "share": finding.share}
