"""The processes in which JAX trains together, and the devices of each.

Source: https://docs.jax.dev/en/latest/multi_process.html.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import jax

from parity.backends.flax.training.devices import found_devices
from parity.errors import UsageError
from parity.interface.devices import Member, launched

BY_HAND = ("JAX_COORDINATOR_ADDRESS", "JAX_NUM_PROCESSES", "JAX_PROCESS_ID")
LATER = 60
"""Seconds after a process's own clock, which tells what happened, in which JAX ends it without a word."""
PATIENCE = ("xla_cpu_collective_call_terminate_timeout_seconds", "xla_cpu_collective_timeout_seconds")
"""XLA's options for how long one CPU device waits for another; by itself it ends the process after 40 s."""


@dataclass(frozen=True)
class Place:
    """Where the first process listens, and which one this is.

    Args:
        address: the first process's, host:port.
        size: how many processes there are.
        rank: this one's number, from 0.
    """

    address: str
    size: int
    rank: int


@contextmanager
def joined(count: int | None, device: str, timeout: float, *, search: bool = False) -> Iterator[Member]:
    """Join the processes that train together, until the end; see `parity.backends.processes.members.joined`.

    A process that fails does not wait for the others.
    """
    place = None if search else _by_hand() or _by_torchrun(timeout)
    if device == "cpu" and not search:
        _make_devices(count, 1 if place is None else place.size)
    _be_patient(timeout)
    if place is not None or search:
        _initialize(place, timeout)
    devices = found_devices(device, count or (len(jax.devices(device)) if jax.process_count() > 1 else 1))
    yield Member(jax.process_index(), jax.process_count(), launched().local_rank, len(devices))
    if jax.distributed.is_initialized():
        jax.distributed.shutdown()


def lost(error: Exception) -> bool:
    """Whether an error may say that another process is gone, stands still or failed."""
    return isinstance(error, jax.errors.JaxRuntimeError)


def _initialize(place: Place | None, timeout: float) -> None:
    seconds = int(timeout)
    start = partial(
        jax.distributed.initialize,
        initialization_timeout=seconds,
        heartbeat_timeout_seconds=seconds + LATER,
        shutdown_timeout_seconds=seconds,
    )
    try:
        if place is None:
            start()
        else:
            start(place.address, place.size, place.rank, cluster_detection_method="deactivate")
    except ValueError as error:
        raise UsageError(
            f"JAX finds no other processes here ({error}); leave --distributed out, or set {', '.join(BY_HAND)}"
        ) from error


def _by_hand() -> Place | None:
    values = [os.environ.get(name) for name in BY_HAND]
    if values == [None] * len(BY_HAND):
        return None
    address, size, rank = values
    numbers = size and rank and size.isdecimal() and rank.isdecimal() and int(rank) < int(size)
    if not address or ":" not in address or not (size and rank and numbers):
        got = ", ".join(f"{name}={value}" for name, value in zip(BY_HAND, values, strict=True))
        raise UsageError(f"got {got} in the environment; expected host:port and 0 ≤ process < processes: set all three")
    return Place(address, int(size), int(rank))


def _by_torchrun(timeout: float) -> Place | None:
    """MASTER_PORT is that of PyTorch's store, by which the processes agree on another."""
    member = launched()
    if member.size == 1:
        return None
    from torch.distributed import rendezvous

    store, _, _ = next(rendezvous("env://", timeout=timedelta(seconds=timeout)))
    if member.leads:
        store.set(BY_HAND[0], f"{os.environ['MASTER_ADDR']}:{_free_port()}")
    return Place(store.get(BY_HAND[0]).decode(), member.size, member.rank)


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("", 0))
        return held.getsockname()[1]


def _make_devices(count: int | None, processes: int) -> None:
    """Have this process's part of the CPU devices, unless JAX has begun with those that it has."""
    each, rest = divmod(count or processes, processes)
    if rest or not each:
        raise UsageError(f"got --devices {count} in {processes} processes; give a multiple of {processes}")
    try:
        jax.config.update("jax_num_cpu_devices", each)
    except RuntimeError:
        found_devices("cpu", each)


def _be_patient(timeout: float) -> None:
    present = os.environ.get("XLA_FLAGS", "")
    flags = [f"--{name}={int(timeout) + LATER}" for name in PATIENCE if name not in present]
    os.environ["XLA_FLAGS"] = " ".join([present, *flags]).strip()
