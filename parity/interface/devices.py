"""The device on which a pair is computed; and data-parallel training: on how many devices, what BatchNorm sees of a
batch, and which part of it is whose."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from parity.errors import UsageError

PLATFORMS = {"cpu": "cpu", "gpu": "gpu", "cuda": "gpu", "tpu": "tpu"}
"""Word for a platform → its name here."""


@dataclass(frozen=True)
class Place:
    """A device of this machine.

    Args:
        platform: "cpu", "gpu" or "tpu".
        number: its number among those of its platform, from 0.
    """

    platform: str = "cpu"
    number: int = 0

    def __str__(self) -> str:
        return f"{self.platform}:{self.number}" if self.number else self.platform

    def of(self, framework: str, precision: str = "float32") -> "Place":
        """Where a framework computes a pass of that precision, if this device was asked for.

        On a TPU, which has no float64, float64 passes are computed on the CPU, and so is all of PyTorch, which has no
        TPU here. Of several CPU devices only JAX knows.
        """
        on_host = self.platform == "tpu" and (framework == "torch" or precision == "float64")
        return Place() if on_host or (framework == "torch" and self.platform == "cpu") else self

    def words(self, framework: str) -> str:
        """Where a framework computes, in words, such as "tpu (float64 on cpu)"."""
        single, double = (str(self.of(framework, precision)) for precision in ("float32", "float64"))
        return single if single == double else f"{single} (float64 on {double})"


_CHOSEN: ContextVar[Place] = ContextVar("place", default=Place())  # noqa: B039 - it never changes


def chosen_place() -> Place:
    """The device on which pairs are computed now."""
    return _CHOSEN.get()


@contextmanager
def computing_on(device: str) -> Iterator[None]:
    """Let pairs be computed on a device meanwhile, in this thread.

    Args:
        device: name of the device, as `place_of` takes it.

    Raises:
        UsageError: it is the name of no device.
    """
    token = _CHOSEN.set(place_of(device))
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def place_of(device: str) -> Place:
    """The device of a name: "cpu", "gpu" (or "cuda") or "tpu", with ":" and its number from 0 if there are several.

    Raises:
        UsageError: it is the name of no device.
    """
    platform, colon, number = str(device).partition(":")
    if platform not in PLATFORMS or (colon and not number.isdecimal()):
        raise UsageError(f"got device {device!r}; expected cpu, gpu (or cuda) or tpu, or one of several such as gpu:1")
    return Place(PLATFORMS[platform], int(number or 0))


@dataclass(frozen=True)
class Devices:
    """The devices that train together, each on its part of the same global batch.

    Args:
        count: number of devices, those of all processes together.
        norm_parts: parts of a batch that BatchNorm sees apart: 1 takes its statistics over the global batch, whoever
            holds what of it (`SyncBatchNorm`, a sharded `jit`); `count` over each device's part, of which the first
            device's run on, as `DistributedDataParallel` and `pmap` do by themselves.

    Raises:
        UsageError: BatchNorm's parts are neither one nor as many as the devices.
    """

    count: int = 1
    norm_parts: int = 1

    def __post_init__(self) -> None:
        if self.norm_parts not in (1, self.count):
            raise UsageError(
                f"got {self.count} devices for a run whose BatchNorm sees {self.norm_parts} parts of a batch apart; "
                f"give --devices {self.norm_parts}"
            )

    @property
    def norms_apart(self) -> bool:
        """Whether each device normalises by its own part of the batch."""
        return self.norm_parts > 1


@dataclass(frozen=True)
class Member:
    """One of the processes that train together.

    Args:
        rank, size: its number, and how many there are.
        local_rank: its number on its machine.
        devices: number of devices, those of all processes together.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    devices: int = 1

    @property
    def leads(self) -> bool:
        """Whether it is the one that writes files and speaks."""
        return self.rank == 0


def launched() -> Member:
    """This process among those that `torchrun`, or one that sets what it sets, has launched; alone if nobody has.

    Raises:
        UsageError: the environment does not say it in numbers.
    """
    rank, size = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or size is None:
        return Member()
    if not (rank.isdecimal() and size.isdecimal() and int(rank) < int(size)):
        raise UsageError(f"got RANK={rank} and WORLD_SIZE={size} in the environment; expected 0 ≤ RANK < WORLD_SIZE")
    return Member(int(rank), int(size), int(os.environ.get("LOCAL_RANK", "0")))


def parts(size: int, count: int) -> list[slice]:
    """Contiguous parts of a batch, one a device; their sizes differ by at most one, the larger come first.

    A batch smaller than the number of devices leaves the last ones without an example; none is repeated or left out.
    """
    small, larger = divmod(size, count)
    ends = [small * (i + 1) + min(i + 1, larger) for i in range(count)]
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]
