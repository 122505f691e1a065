"""A Flax network as a file of `jax.export`: StableHLO with the weights in it, which JAX alone can run."""

from importlib.util import find_spec
from typing import Any

import jax
import numpy as np
from jax import export

from parity.backends.exported import Inputs, arguments_of
from parity.backends.flax.twin import FlaxTwin
from parity.errors import UsageError


def write(twin: FlaxTwin, inputs: Inputs) -> bytes:
    """The file's bytes; it takes batches of any size, whole numbers as int32. See `parity.backends.exported`.

    Source: https://docs.jax.dev/en/latest/export/export.html.
    """
    if find_spec("flatbuffers") is None:
        raise UsageError("jax.export writes with flatbuffers, which is not installed; pip install 'netparity[export]'")

    def network(*arguments: Any) -> jax.Array:
        x: Any = arguments if len(arguments) > 1 else arguments[0]
        return twin.apply(twin.variables, x, training=False)[0]

    with twin.setting():
        (size,) = export.symbolic_shape("batch")
        taken = [
            jax.ShapeDtypeStruct((size, *array.shape[1:]), twin.dtype if array.dtype.kind == "f" else np.int32)
            for array in arguments_of(inputs)
        ]
        return bytes(export.export(jax.jit(network))(*taken).serialize())
