"""A Flax network as a file of `jax.export`: StableHLO with the weights in it, which JAX alone can run."""

from importlib.util import find_spec

import jax
import numpy as np
from jax import export
from numpy.typing import NDArray

from parity.backends.flax.twin import FlaxTwin
from parity.errors import UsageError


def write(twin: FlaxTwin, inputs: NDArray[np.generic]) -> bytes:
    """The file's bytes; it takes batches of any size, whole numbers as int32. See `parity.backends.exported`.

    Source: https://docs.jax.dev/en/latest/export/export.html.
    """
    if find_spec("flatbuffers") is None:
        raise UsageError("jax.export writes with flatbuffers, which is not installed; pip install 'netparity[export]'")

    def network(x: jax.Array) -> jax.Array:
        return twin.apply(twin.variables, x, training=False)[0]

    with twin.setting():
        shape = export.symbolic_shape(", ".join(["batch", *map(str, inputs.shape[1:])]))
        dtype = twin.dtype if np.issubdtype(inputs.dtype, np.floating) else np.int32
        return bytes(export.export(jax.jit(network))(jax.ShapeDtypeStruct(shape, dtype)).serialize())
