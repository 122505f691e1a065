"""The devices that JAX has, and how arrays are laid out over several of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from parity.errors import UsageError

AXIS = "data"
"""The mesh's axis, along which a batch is parted."""


@contextmanager
def having(platform: str) -> Iterator[None]:
    """Raise UsageError where JAX has no such device when it is asked for one."""
    try:
        yield
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"JAX has no {platform} device here ({reason}); use --device cpu or install JAX for it"
        ) from error


def local_device(platform: str) -> jax.Device:
    """This process's first device of a platform: "cpu", "gpu" or "tpu".

    Raises:
        UsageError: there is none.
    """
    with having(platform):
        return jax.local_devices(backend=platform)[0]


def device_at(platform: str, number: int) -> jax.Device:
    """One of the devices of a platform that JAX has, by its number from 0.

    Raises:
        UsageError: there is none of that number.
    """
    with having(platform):
        devices = jax.devices(platform)
    if number >= len(devices):
        last = f"{platform}:{len(devices) - 1}" if len(devices) > 1 else platform
        raise UsageError(f"JAX has no device {platform}:{number} here; its last is {last}")
    return devices[number]


def found_devices(platform: str, count: int) -> list[Any]:
    """So many devices of a platform, those of all processes together.

    Raises:
        UsageError: there are fewer, or more of which another process's would be left out.
    """
    with having(platform):
        devices = jax.devices(platform)
    if len(devices) < count or (len(devices) > count and jax.process_count() > 1):
        remedy = f"give --devices {len(devices)}" if platform != "cpu" else "ask for them before JAX computes anything"
        raise UsageError(f"JAX has {len(devices)} {platform} devices here, not the {count} asked for; {remedy}")
    return devices[:count]


def mesh_of(devices: list[Any]) -> Mesh:
    """Devices in a row, along which a batch is parted; the compiler sees to what passes between them."""
    return jax.make_mesh((len(devices),), (AXIS,), devices=devices, axis_types=(AxisType.Auto,))


def placed(array: Any, mesh: Mesh, spec: PartitionSpec) -> jax.Array:
    """A copy of an array that every process holds the whole of, laid out over the devices of all."""
    host = np.asarray(array)
    return jax.make_array_from_callback(host.shape, NamedSharding(mesh, spec), lambda index: np.array(host[index]))


def spread(x: jax.Array, mesh: Mesh) -> jax.Array:
    """The array with its first axis parted among the devices, inside a compiled program."""
    return jax.lax.with_sharding_constraint(x, NamedSharding(mesh, PartitionSpec(AXIS)))
