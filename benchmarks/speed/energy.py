"""The energy that a GPU reports: NVML's counter of millijoules, where there is one."""

from types import ModuleType


class Energy:
    """Counts the energy from the object's making on.

    Args:
        device: "gpu", or another device, which reports nothing.

    Source: `nvmlDeviceGetTotalEnergyConsumption`, Volta and later; package nvidia-ml-py. It counts the whole first GPU,
    whoever uses it.
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


def _nvml() -> ModuleType | None:
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml
