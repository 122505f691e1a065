"""Remembers the Python numbers, and the tables of NumPy, that JAX rounds while a program is traced."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax._src.dtypes import register_canonicalize_value_handler
from jax._src.interpreters.partial_eval import const_fold_rules
from jax._src.lax import lax as rounding
from jax._src.literals import TypedNdArray
from jax._src.numpy import array_constructors as creation
from numpy.typing import NDArray

from parity.interface.literals import as_written, table_as_written

_WRITTEN: dict[tuple[str, complex], complex] = {}
"""Name of a floating type and a number of it → the number of Python's that was rounded to it. It outlives a trace, as
JAX keeps the programs of inner functions and does not trace them again."""
_TABLES: dict[tuple[str, tuple[int, ...], bytes], NDArray] = {}
"""Name of a floating type, shape and digest of a table of that type → NumPy's table that was rounded to it."""
ROUNDING: Any = rounding
CREATION: Any = creation
PUBLIC: Any = jnp
FOLDING: Any = const_fold_rules
CONVERT: Any = jax.lax.convert_element_type_p
"""Where JAX rounds a Python number: it has no public way to be told of it."""
MANY = 100_000
LARGEST = 2**22
"""Numbers of a table that is remembered."""
WIDE = {"f": np.dtype(np.float64), "c": np.dtype(np.complex128)}


def wide(dtype: Any) -> Any:
    """Float64 of a floating type, complex128 of a complex one, any other as it is."""
    if jnp.issubdtype(dtype, jnp.floating):
        return WIDE["f"]
    return WIDE["c"] if jnp.issubdtype(dtype, jnp.complexfloating) else dtype


def narrow(dtype: Any) -> Any:
    """The type that JAX has for one of 64 bits outside of its 64-bit mode; any other as it is."""
    if jnp.issubdtype(dtype, jax.dtypes.extended):
        return dtype
    return NARROW.get(np.dtype(dtype).name, np.dtype(dtype))


def inexact(dtype: Any) -> bool:
    """Whether a type is floating or complex."""
    return bool(jnp.issubdtype(dtype, jnp.inexact))


NARROW = {
    "float64": np.dtype(np.float32),
    "complex128": np.dtype(np.complex64),
    "int64": np.dtype(np.int32),
    "uint64": np.dtype(np.uint32),
}


@contextmanager
def remembering_literals() -> Iterator[None]:
    """Keep every float64 number that JAX rounds meanwhile: where it converts one, folds a conversion, makes an array of
    one, or takes one of NumPy's."""
    convert, array, fold = ROUNDING._convert_element_type, CREATION.array, FOLDING[CONVERT]

    def converting(operand: Any, new_dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        _remember(operand, new_dtype)
        return convert(operand, new_dtype, *args, **kwargs)

    def creating(operand: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        _remember(operand, dtype)
        return array(operand, dtype, *args, **kwargs)

    def folding(constants: Any, params: Any, avals: Any) -> Any:
        _remember(constants[0], params["new_dtype"])
        return fold(constants, params, avals)

    register_canonicalize_value_handler(np.float64, _of_numpy)
    ROUNDING._convert_element_type, FOLDING[CONVERT] = converting, folding
    CREATION.array = PUBLIC.array = creating
    try:
        yield
    finally:
        ROUNDING._convert_element_type, FOLDING[CONVERT] = convert, fold
        CREATION.array = PUBLIC.array = array


def _of_numpy(number: np.float64) -> Any:
    """What JAX makes of a float64 number of NumPy's anyway; it cannot be told to forget who does it."""
    dtype = jax.dtypes.canonicalize_dtype(number.dtype)
    if len(_WRITTEN) < MANY:
        _remember(number, dtype)
    return TypedNdArray(np.asarray(number, dtype))


def _remember(number: Any, dtype: Any) -> None:
    if isinstance(number, np.ndarray) and number.ndim:
        _remember_table(number, dtype)
    if not isinstance(number, float | complex | np.float64 | np.complex128) or dtype is None:
        return
    if inexact(dtype) and (dtype := np.dtype(dtype)) != wide(dtype):
        with np.errstate(all="ignore"):
            rounded = np.asarray(number).astype(dtype).item()
        _WRITTEN.setdefault((dtype.name, rounded), number)


def _remember_table(table: NDArray, dtype: Any) -> None:
    """Keep a table that JAX rounds to a type, or outside of its 64-bit mode to that of half its width."""
    if table.dtype != wide(table.dtype) or table.dtype.kind not in WIDE or table.size > LARGEST:
        return
    rounded = np.dtype(narrow(table.dtype) if dtype is None else dtype)
    if inexact(rounded) and rounded != table.dtype and len(_TABLES) < MANY:
        with np.errstate(all="ignore"):
            _TABLES.setdefault(_key(table.astype(rounded)), table.copy())


def _key(table: NDArray) -> tuple[str, tuple[int, ...], bytes]:
    return table.dtype.name, table.shape, sha256(table.tobytes()).digest()


def widened_literal(value: Any, dtype: Any) -> NDArray:
    """A literal of a traced program as its user wrote it.

    Args:
        value: a scalar or an array, of JAX's, NumPy's or Python's.
        dtype: its type in the program.

    Returns:
        Whole numbers and truth values as they are. Of a floating or complex scalar the number of Python's that JAX
        rounded, where it is known, else the one with the fewest decimal digits. Of a table the one of NumPy's that JAX
        rounded, where it is known, else see `table_as_written`.
    """
    if not inexact(dtype):
        return np.asarray(value).astype(dtype)
    if isinstance(value, float | complex):  # JAX keeps the number of a weakly typed one
        return np.asarray(value, wide(dtype))
    array = np.asarray(value)
    if array.ndim and (written := _TABLES.get(_key(array))) is not None:
        return written
    if array.ndim or array.dtype.itemsize >= wide(dtype).itemsize:
        return table_as_written(array) if array.dtype == np.float32 else array.astype(wide(dtype))
    return np.asarray(_scalar(array.item(), array.dtype), wide(dtype))


def _scalar(number: complex, dtype: np.dtype) -> complex:
    if (dtype.name, number) in _WRITTEN:
        return _WRITTEN[dtype.name, number]
    if isinstance(number, complex):
        part = np.dtype(np.float32)
        return complex(as_written(number.real, part), as_written(number.imag, part))
    return as_written(number, dtype)
