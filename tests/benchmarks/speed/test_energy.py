"""What a GPU tells of its energy, by a driver of the test's own."""

import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.speed import energy
from benchmarks.speed.energy import Energy

SOURCE = """
static unsigned long long spent = 1000;
static int gpu;
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void **handle) { *handle = &gpu; return index ? 2 : 0; }
int nvmlDeviceGetTotalEnergyConsumption(void *handle, unsigned long long *total) {
  if (handle != &gpu) return 2;
  *total = spent; spent += 5000000000ULL; return %s;
}
"""
"""NVML's three functions in C; the counter passes 32 bits, and the last returns what is put in."""


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
    monkeypatch.setattr(energy, "LIBRARY", "libnvidia-ml-that-is-not-here.so")
    assert Energy("gpu").joules() is None
    monkeypatch.setitem(sys.modules, "pynvml", driver(1, 2))
    assert Energy("cpu").joules() is None


@pytest.mark.parametrize(("code", "joules"), [("0", 5_000_000.0), ("3", None)])
def test_without_the_package_the_drivers_library_is_asked(
    code: str, joules: float | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library of the test's own, compiled from C, is called as the driver's would be."""
    source, library = tmp_path / "nvml.c", tmp_path / "nvml.so"
    source.write_text(SOURCE % code)
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    except FileNotFoundError:
        pytest.skip("no C compiler")
    ctypes.CDLL(str(library))
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setattr(energy, "LIBRARY", str(library))
    assert Energy("gpu").joules() == joules
