"""Records every call of a Flax network's modules while it is traced."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax import nnx

from parity.backends.flax.tracing.marks import mask_place, mean_place, tap
from parity.backends.flax.tracing.patch import patched_calls
from parity.interface.observation import Dropped

MARK = "_parity_path"
"""Attribute of a module of NNX that holds its path: it outlives the copies that nnx.scan, nnx.jit … make."""

DIGITS = 12
"""Of a rate, which attention knows as one less what is kept."""
Feeds = dict[int, list[jax.Array]]
"""Number of a call, in the order in which they begin → what it gets in the place of its floating arguments."""


@dataclass
class Entry:
    """One call while it is recorded; inputs and outputs are the arrays of the trees, `taps` the number of each output's
    tap, None where it is not floating."""

    path: str
    type: str
    start: int
    inputs: list[jax.Array]
    outputs: list[jax.Array] = field(default_factory=list)
    taps: list[int | None] = field(default_factory=list)


class Tape:
    """Calls in the order in which they end, and uses of dropout.

    Args:
        training: the mode of the pass.
        masked: whether dropout multiplies with masks, else it is off.
        capture: whether calls are recorded.
        unrolled: whether loops are, so that what is traced apart is only looked at and will run again.
    """

    def __init__(self, training: bool, masked: bool = False, capture: bool = True, unrolled: bool = False) -> None:
        self.training, self.masked = training, masked
        self.capture, self.unrolled = capture, unrolled
        self.draw: jax.Array | None = None  # number of the draw, from which a network's keys are made if it is there
        self.leaves = False  # whether dropout that is asked for in evaluation stays on
        self.apart = False  # whether dropout was used in a loop that is not unrolled
        self.entries: list[Entry] = []
        self.dropouts: list[Dropped] = []
        self.started: dict[str, int] = {}
        self.feeds: Feeds = {}
        self._begun = self._tapped = 0
        self._traces: set[int] | None = None

    @property
    def drops(self) -> bool:
        """Whether dropout draws what it drops: it has masks, or is left as it is."""
        return self.masked or self.leaves

    def admit(self, *trees: Any) -> None:
        """Only values that are traced as these are will be recorded: what a transformation inside the network (a scan's
        first look at its body, a checkpoint) traces by itself cannot leave it."""
        self._traces = {id(getattr(leaf, "_trace", None)) for leaf in jax.tree.leaves(trees)}

    def _inside(self, flat: Sequence[Any]) -> bool:
        tracers = [leaf for leaf in flat if isinstance(leaf, jax.core.Tracer)]
        return self._traces is not None and any(id(getattr(t, "_trace", None)) not in self._traces for t in tracers)

    def begin(self, path: str, kind: str, args: Any, kwargs: Any) -> tuple[Entry, Any, Any]:
        """Note that a call begins; its arguments, or what it is fed in their place."""
        self.started.setdefault(path, self._begun)
        if self._begun in self.feeds:
            rest = iter(self.feeds[self._begun])
            args, kwargs = mapped(lambda a: next(rest).astype(a.dtype) if floats(a) else a, (args, kwargs))
        self._begun += 1
        return Entry(path, kind, self._begun - 1, arrays_of((args, kwargs))), args, kwargs

    def end(self, entry: Entry, output: Any) -> Any:
        """Note its end; the output goes on with a tap on every floating array of it."""
        if self._inside([*arrays_of(output), *entry.inputs]):
            return output

        def tapped(leaf: Any) -> Any:
            entry.taps += [self._tapped if floats(leaf) else None] if _is_array(leaf) else []
            if not floats(leaf):
                return leaf
            self._tapped += 1
            return tap(leaf, self._tapped - 1)

        output = mapped(tapped, output)
        entry.outputs = arrays_of(output)
        self.entries.append(entry)
        return output

    def dropout(self, module: Any, x: jax.Array, deterministic: bool | None, call: Callable[[], Any]) -> jax.Array:
        """Stand in for a dropout module's call. In evaluation a dropout that is not told to be still is off too, unless
        dropout is left as it is."""
        still = module.deterministic if deterministic is None else deterministic
        if still or module.rate == 0:
            return x
        if not self.training:
            return call() if self.leaves else x
        if self._inside([_unbatched(x)]):
            self.apart = True
            if self.unrolled:
                return x
        shape = list(x.shape)
        for axis in module.broadcast_dims:
            shape[axis] = 1
        number = self._used(Dropped(tuple(shape), float(module.rate)))
        return x * mask_place(number, shape, x.dtype) if self.masked else x

    def kept(self, key: Any, keep: float, shape: tuple[int, ...], noted: bool = True) -> jax.Array:
        """Stand in for a draw of truth values, which say whether each number is kept; their shape may broadcast."""
        if self._inside([key]):
            self.apart = self.apart or self.masked
            if self.unrolled:
                return jnp.ones(shape, bool)
        if not self.masked:
            self.note(keep, shape, noted)
            return mean_place(keep, shape)
        return mask_place(self._used(_rate(keep, shape)), shape, bool)

    def note(self, keep: float, shape: tuple[int, ...], noted: bool) -> None:
        """Note a draw that is not taken over, if it is one to note."""
        if noted:
            self._used(_rate(keep, shape))

    def _used(self, used: Dropped) -> int:
        """Number of a use of dropout."""
        self.dropouts.append(used)
        return len(self.dropouts) - 1


def _rate(keep: float, shape: tuple[int, ...]) -> Dropped:
    return Dropped(tuple(shape), round(1.0 - keep, DIGITS))


def arrays_of(tree: Any) -> list[jax.Array]:
    """The arrays among a tree's leaves."""
    arrays: list[jax.Array] = []
    mapped(lambda leaf: arrays.append(leaf) if _is_array(leaf) else None, tree)
    return arrays


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The tree with the function of its leaves in their place, also in dataclasses that JAX does not know."""

    def inside(leaf: Any) -> Any:
        if not is_dataclass(leaf) or isinstance(leaf, type | nn.Module):
            return function(leaf)
        changed = copy(leaf)
        for attribute in fields(leaf):
            object.__setattr__(changed, attribute.name, mapped(function, getattr(leaf, attribute.name)))
        return changed

    return jax.tree.map(inside, tree)


def _unbatched(x: Any) -> Any:
    """What a vmap inside the network maps over."""
    while isinstance(x, jax.core.Tracer) and type(x).__name__ == "BatchTracer":
        x = x.val
    return x


def floats(leaf: Any) -> bool:
    """Whether a leaf is a floating array."""
    return _is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.floating)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and not jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def calm(module: Any) -> None:
    """Let an attention drop nothing out, for which it would need a stream of random numbers."""
    if getattr(module, "dropout_rate", None) and isinstance(module, ATTENTIONS):
        object.__setattr__(module, "dropout_rate", 0.0)


ATTENTIONS = (nnx.MultiHeadAttention, nn.MultiHeadDotProductAttention)


@contextmanager
def nnx_taps(model: nnx.Module, tape: Tape) -> Iterator[None]:
    """Record the calls of an NNX network, which is marked, and whose classes are patched meanwhile."""
    modules = [(p, m) for p, m in nnx.iter_modules(model) if callable(m) and not isinstance(m, nnx.List)]
    for path, module in modules:
        setattr(module, MARK, ".".join(map(str, path)))
    with patched_calls((type(module) for _, module in modules), lambda cls, call: _tapped(cls, call, tape)):
        yield


def _tapped(cls: type, call: Callable[..., Any], tape: Tape) -> Any:
    def tapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        path = getattr(self, MARK, None)
        if type(self) is not cls or path is None:  # a subclass that calls its parent, or one made inside
            return call(self, *args, **kwargs)
        entry, args, kwargs = tape.begin(path, cls.__name__, args, kwargs)
        if isinstance(self, nnx.Dropout):
            still = args[1] if len(args) > 1 else kwargs.get("deterministic")
            output = tape.dropout(self, args[0], still, lambda: call(self, *args, **kwargs))
        else:
            output = call(self, *args, **kwargs)
        return tape.end(entry, output) if tape.capture else output

    return tapped


@contextmanager
def linen_taps(tape: Tape, modules: dict[str, Any]) -> Iterator[None]:
    """Record the calls of a Linen network; `modules` is filled with each path's module."""

    def intercept(call: Callable[..., Any], args: Any, kwargs: Any, context: Any) -> Any:
        module = context.module
        for part in () if tape.drops else (module, *_held(module)):
            calm(part)
        if context.method_name != "__call__" or module.scope is None:  # one that was never bound holds no arrays
            return call(*args, **kwargs)
        path = "/".join(module.path)
        modules.setdefault(path, module)
        entry, args, kwargs = tape.begin(path, type(module).__name__, args, kwargs)
        if isinstance(module, nn.Dropout):
            still = args[1] if len(args) > 1 else kwargs.get("deterministic")
            output = tape.dropout(module, args[0], still, lambda: call(*args, **kwargs))
        else:
            output = call(*args, **kwargs)
        return tape.end(entry, output) if tape.capture else output

    with nn.intercept_methods(intercept):
        yield


def _held(module: nn.Module) -> Iterator[nn.Module]:
    """Modules that a bound one was given as fields."""
    names = (field for field in type(module).__dataclass_fields__ if field not in ("parent", "name"))
    yield from (held for held in (getattr(module, name, None) for name in names) if isinstance(held, nn.Module))


@contextmanager
def transparent_checkpoints() -> Iterator[None]:
    """Let rematerialisation, which changes no number, be a plain call, so that what is inside is seen."""
    places = {name: getattr(jax, name) for name in ("checkpoint", "remat")}
    try:
        for name in places:
            setattr(jax, name, _plain_call)
        yield
    finally:
        for name, original in places.items():
            setattr(jax, name, original)


def _plain_call(function: Any = None, **options: Any) -> Any:
    del options
    return _plain_call if function is None else function
