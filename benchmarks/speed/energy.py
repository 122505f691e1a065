"""The energy that a GPU reports: NVML's counter of millijoules, where there is one."""

import ctypes
from typing import Any

LIBRARY = "libnvidia-ml.so.1"
"""Name under which the driver installs NVML."""


class Energy:
    """Counts the energy from the object's making on.

    Args:
        device: "gpu", or another device, which reports nothing.

    Source: `nvmlDeviceGetTotalEnergyConsumption`, Volta and later, of the package nvidia-ml-py, or where that is not
    installed of the driver's own library. It counts the whole first GPU, whoever uses it.
    """

    def __init__(self, device: str) -> None:
        self._nvml = _nvml() if device == "gpu" else None
        self._before = self._millijoules()

    def joules(self) -> float | None:
        """The joules used since then; None where nothing reports them."""
        now = self._millijoules()
        return None if now is None or self._before is None else (now - self._before) / 1e3

    def _millijoules(self) -> int | None:
        if self._nvml is None:
            return None
        try:
            return self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._nvml.nvmlDeviceGetHandleByIndex(0))
        except self._nvml.NVMLError:  # older than Volta, or no GPU
            return None


def _nvml() -> Any:
    """The package pynvml, else the driver's library, ready to be asked; None where neither is."""
    for load in (_package, _library):
        try:
            nvml = load()
            nvml.nvmlInit()
        except (ImportError, OSError):  # not installed
            continue
        except nvml.NVMLError:
            return None
        return nvml
    return None


def _package() -> Any:
    import pynvml

    return pynvml


def _library() -> "Library":
    return Library(ctypes.CDLL(LIBRARY))


class Library:
    """The three functions of NVML that are needed here, called in the driver's library, as pynvml names them.

    Args:
        functions: the library as ctypes has loaded it.

    Source: https://docs.nvidia.com/deploy/nvml-api/, where every function returns 0 if it succeeds.
    """

    class NVMLError(Exception):
        """A function did not return 0."""

    def __init__(self, functions: Any) -> None:
        self._functions = functions

    def _call(self, name: str, *arguments: Any) -> None:
        if code := getattr(self._functions, name)(*arguments):
            raise self.NVMLError(f"{name} gave {code}")

    def nvmlInit(self) -> None:  # noqa: N802 - the library's name
        """Begin."""
        self._call("nvmlInit_v2")

    def nvmlDeviceGetHandleByIndex(self, index: int) -> ctypes.c_void_p:  # noqa: N802 - the library's name
        """The GPU of that number."""
        handle = ctypes.c_void_p()
        self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle))
        return handle

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: ctypes.c_void_p) -> int:  # noqa: N802 - the library's name
        """The millijoules that it has used since the driver was loaded."""
        millijoules = ctypes.c_ulonglong()
        self._call("nvmlDeviceGetTotalEnergyConsumption", handle, ctypes.byref(millijoules))
        return millijoules.value
