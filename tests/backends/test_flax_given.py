"""What a Flax network is given."""

import jax
import jax.numpy as jnp
import numpy as np

from parity.backends.flax_given import converted, setting


def test_whole_numbers_in_a_float32_pass_are_int32_after_a_float64_pass_had_them_as_int64() -> None:
    labels, seen = np.arange(3), []

    def kept(x: jax.Array, precision: str) -> jax.Array:
        array = converted(labels, precision)  # type: ignore[arg-type] # one of the two
        seen.append(array.dtype)
        return x * (array >= 1)

    for precision in ("float64", "float32"):
        with setting(precision):  # type: ignore[arg-type] # one of the two
            jax.make_jaxpr(lambda x, precision=precision: kept(x, precision))(jnp.ones(3))
    assert seen == [np.int64, np.int32]
