"""What pyproject.toml allows: the lowest version of each dependency, for one version of Python."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement

from parity.errors import UsageError


def dependencies(project: Path) -> list[str]:
    """What the package needs by default, as pyproject.toml declares it.

    Args:
        project: The file pyproject.toml.
    """
    return tomllib.loads(project.read_text(encoding="utf-8"))["project"]["dependencies"]


def lowest(requirements: Iterable[str], python: str) -> list[str]:
    """A pin to the lowest version of each requirement, as lines for pip's `--constraint`.

    Args:
        requirements: Requirements with a lower bound each, such as "numpy>=2.1; python_version >= '3.13'".
        python: The version of Python, such as "3.13"; what does not apply to it is left out.

    Raises:
        UsageError: A requirement has no lower bound, so there is no lowest version.
    """
    applying = [requirement for requirement in map(Requirement, requirements) if _applies(requirement, python)]
    return [f"{requirement.name}=={_bound(requirement)}" for requirement in applying]


def _applies(requirement: Requirement, python: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"python_version": python})


def _bound(requirement: Requirement) -> str:
    bounds = [bound.version for bound in requirement.specifier if bound.operator == ">="]
    if len(bounds) != 1:
        raise UsageError(f"pyproject.toml has {requirement}; expected one lower bound, such as {requirement.name}>=1.0")
    return bounds[0]
