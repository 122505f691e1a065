"""What a GPU tells of its energy, by a driver of the test's own."""

import sys
from types import SimpleNamespace

import pytest

from benchmarks.speed.energy import Energy


class NVMLError(Exception):
    pass


def driver(*millijoules: int | Exception) -> SimpleNamespace:
    """NVML whose counter shows these numbers one after the other."""
    shown = iter(millijoules)

    def counter(handle: str) -> int:
        assert handle == "GPU 0"
        now = next(shown)
        if isinstance(now, Exception):
            raise now
        return now

    return SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: f"GPU {index}",
        nvmlDeviceGetTotalEnergyConsumption=counter,
    )


def test_it_is_the_difference_of_the_counter_in_joules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(1_000, 4_500))
    assert Energy("gpu").joules() == 3.5


def test_a_gpu_that_does_not_tell_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(NVMLError(), NVMLError()))
    assert Energy("gpu").joules() is None


def test_without_nvml_or_a_gpu_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)  # as if it were not installed
    assert Energy("gpu").joules() is None
    monkeypatch.setitem(sys.modules, "pynvml", driver(1, 2))
    assert Energy("cpu").joules() is None
