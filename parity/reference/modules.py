"""Layers bound to a path: they take their weights from a flat dict, record their calls and run backwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from parity.reference.layers import (
    Array,
    dense_backward,
    dense_forward,
    flatten_backward,
    flatten_forward,
    relu_backward,
    relu_forward,
    tanh_backward,
    tanh_forward,
)
from parity.reference.norm import BatchNormCache, batch_norm_backward, batch_norm_forward
from parity.reference.record import Gradients, Run
from parity.reference.spatial import conv_backward, conv_forward, max_pool_backward, max_pool_forward

Shapes = dict[str, tuple[int, ...]]


@dataclass
class Module:
    """A layer with one input. A subclass computes; this class names, records and adds up.

    Args:
        path: the layer's place in the network, such as "features.0.conv"; the canonical names of its weights begin
            with it.
    """

    path: str

    def own_shapes(self) -> Shapes:
        """List the shapes of the layer's own weights by their last name: none, unless a subclass has some."""
        return {}

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, Any]:
        """Run forward on the inputs and the layer's weights by last name; return the output and the cache."""
        raise NotImplementedError

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """Run backward; return the gradient of the inputs, and those of the layer's parameters by last name."""
        raise NotImplementedError

    def walk(self) -> Iterator["Module"]:
        """Yield the modules inside, then this one."""
        yield self

    def shapes(self) -> Shapes:
        """Map the canonical names of the layer's weights to their shapes."""
        return {f"{self.path}.{name}": shape for name, shape in self.own_shapes().items()}

    def forward(self, run: Run, call: str, inputs: Array) -> Array:
        """Run forward and record the call."""
        weights = {name: run.weights[f"{self.path}.{name}"] for name in self.own_shapes()}
        output, cache = self.compute(run, inputs, **weights)
        return run.record(call, inputs, output, cache)

    def backward(self, run: Run, gradients: Gradients, call: str, cotangent: Array) -> Array:
        """Run a recorded call backward, add its gradients to `gradients`, return that of its inputs."""
        gradients.outputs[call] = cotangent
        input_gradient, parameter_gradients = self.derive(cotangent, run.cache[call])
        for name, gradient in parameter_gradients.items():
            canonical = f"{self.path}.{name}"
            earlier = gradients.parameters.get(canonical)
            gradients.parameters[canonical] = gradient if earlier is None else earlier + gradient
        return input_gradient


@dataclass
class Dense(Module):
    """A dense layer, (..., in_features) to (..., out_features)."""

    in_features: int
    out_features: int
    has_bias: bool = True

    def own_shapes(self) -> Shapes:
        """Shapes of the kernel, and of the bias if there is one."""
        bias: Shapes = {"bias": (self.out_features,)} if self.has_bias else {}
        return {"kernel": (self.in_features, self.out_features)} | bias

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, Any]:
        """See `dense_forward`."""
        return dense_forward(inputs, **weights)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `dense_backward`."""
        return dense_backward(cotangent, cache)


@dataclass
class Conv(Module):
    """A convolution of square windows; by default 3×3 with bias, stride 1, padding 1."""

    in_channels: int
    out_channels: int
    size: int = 3
    stride: int = 1
    padding: int = 1
    has_bias: bool = True

    def own_shapes(self) -> Shapes:
        """Shapes of the kernel, and of the bias if there is one."""
        bias: Shapes = {"bias": (self.out_channels,)} if self.has_bias else {}
        return {"kernel": (self.size, self.size, self.in_channels, self.out_channels)} | bias

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, Any]:
        """See `conv_forward`."""
        return conv_forward(inputs, **weights, stride=self.stride, padding=self.padding)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `conv_backward`."""
        return conv_backward(cotangent, cache)


@dataclass
class BatchNorm(Module):
    """Batch normalisation over the last axis; it leaves its new running statistics in `run.buffers`."""

    channels: int

    def own_shapes(self) -> Shapes:
        """Shapes of the scale, the bias and the running statistics, all (channels,)."""
        return dict.fromkeys(("scale", "bias", "running_mean", "running_var"), (self.channels,))

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, BatchNormCache]:
        """See `batch_norm_forward`."""
        output, cache = batch_norm_forward(inputs, **weights, training=run.training, momentum=0.1, eps=1e-5)
        run.buffers[f"{self.path}.running_mean"] = cache.running_mean
        run.buffers[f"{self.path}.running_var"] = cache.running_var
        return output, cache

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `batch_norm_backward`."""
        return batch_norm_backward(cotangent, cache)


@dataclass
class Tanh(Module):
    """Hyperbolic tangent of any shape."""

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, Any]:
        """See `tanh_forward`."""
        return tanh_forward(inputs)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `tanh_backward`."""
        return tanh_backward(cotangent, cache), {}


@dataclass
class MaxPool(Module):
    """Max-pooling with window 3, stride 2, padding 1: the sides are halved, rounded up."""

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, Any]:
        """See `max_pool_forward`."""
        return max_pool_forward(inputs, window=3, stride=2, padding=1)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `max_pool_backward`."""
        return max_pool_backward(cotangent, cache), {}


@dataclass
class Flatten(Module):
    """Flattening in channels-first order."""

    def compute(self, run: Run, inputs: Array, **weights: Array) -> tuple[Array, Any]:
        """See `flatten_forward`."""
        return flatten_forward(inputs)

    def derive(self, cotangent: Array, cache: Any) -> tuple[Array, dict[str, Array]]:
        """See `flatten_backward`."""
        return flatten_backward(cotangent, cache), {}


@dataclass
class ConvBlock(Module):
    """A 3×3 convolution `conv`, a batch normalisation `norm` and a ReLU."""

    in_channels: int
    out_channels: int

    def __post_init__(self) -> None:
        self.conv = Conv(f"{self.path}.conv", self.in_channels, self.out_channels)
        self.norm = BatchNorm(f"{self.path}.norm", self.out_channels)

    def walk(self) -> Iterator[Module]:
        """Yield `conv`, `norm`, then the block."""
        yield from (self.conv, self.norm, self)

    def shapes(self) -> Shapes:
        """Shapes of the weights of `conv`, then of those of `norm`."""
        return self.conv.shapes() | self.norm.shapes()

    def forward(self, run: Run, call: str, inputs: Array) -> Array:
        """Run both layers and the ReLU, and record three calls."""
        hidden = self.conv.forward(run, self.conv.path, inputs)
        output, cache = relu_forward(self.norm.forward(run, self.norm.path, hidden))
        return run.record(call, inputs, output, cache)

    def backward(self, run: Run, gradients: Gradients, call: str, cotangent: Array) -> Array:
        """Run the three recorded calls backward."""
        gradients.outputs[call] = cotangent
        cotangent = relu_backward(cotangent, run.cache[call])
        cotangent = self.norm.backward(run, gradients, self.norm.path, cotangent)
        return self.conv.backward(run, gradients, self.conv.path, cotangent)
