"""Faults that installed versions are known to have, with what to do and where it is told."""

from collections.abc import Mapping
from dataclasses import dataclass

from parity.versions import numbers


@dataclass(frozen=True)
class Fault:
    """A fault of a version of a package.

    Args:
        package: The package's name.
        first: The first version that is known to have it; "" if all before `mended` have.
        mended: The first version that is known not to have it.
        what: What goes wrong.
        mend: What to do.
        links: Addresses where it is told.
    """

    package: str
    first: str
    mended: str
    what: str
    mend: str
    links: tuple[str, ...] = ()


WITHOUT_FUSION = "set XLA_FLAGS=--xla_cpu_experimental_ynn_fusion_type= (empty), or install jax 0.12.0.1 (Python 3.12)"
JAX = "https://github.com/jax-ml/jax/issues/"
KNOWN = (
    Fault(
        "jax",
        "0.10.2",
        "0.12.0.1",
        "sums of products under jit and vmap can be wrong on a CPU; netparity compiles what it runs without that",
        WITHOUT_FUSION,
        (f"{JAX}39103",),
    ),
    Fault(
        "jax",
        "0.10.2",
        "0.12.0.1",
        "the same fusion can crash the process on a CPU",
        WITHOUT_FUSION,
        (f"{JAX}39257", f"{JAX}40412"),
    ),
    Fault("flax", "", "0.12.1", "it does not import beside jax 0.10", "install flax 0.12.1 or newer"),
    Fault("scipy", "", "1.14", "it does not import beside jax 0.10", "install scipy 1.14 or newer"),
)


def faults_of(versions: Mapping[str, str]) -> list[Fault]:
    """The known faults of the installed versions.

    Args:
        versions: Package → its version; what is not installed has none, or one without a number.
    """
    return [fault for fault in KNOWN if _has(versions.get(fault.package, ""), fault)]


def _has(version: str, fault: Fault) -> bool:
    return bool(numbers(version)) and numbers(fault.first) <= numbers(version) < numbers(fault.mended)
