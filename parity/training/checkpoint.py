"""Checkpoints: a training state in no framework's form, in a safetensors file that is verified when it is read."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors import numpy as safetensors_numpy

from parity import documents
from parity.backends import TrainingState
from parity.errors import UsageError
from parity.files import write_atomically
from parity.interface.trace import Arrays
from parity.report.environment import versions
from parity.training.folder import CHECKPOINTS
from parity.training.plan import Plan
from parity.training.written import Kept

FORMAT = "netparity-checkpoint/1"
FILE = re.compile(r"step-\d{10}\.safetensors")
WEIGHT, MOMENT = "weight:", "moment:"
ARRAY = re.compile(r"(?:weight|moment:([^:]+)):([^:]+)")


@dataclass(frozen=True)
class Checkpoint:
    """A run at one of its steps.

    Args:
        plan: the plan of the run.
        backend: the backend that made it; any can go on from it.
        state: weights, moments and step; the position in the data follows from the step.
        path: the checkpoint's file.
    """

    plan: Plan
    backend: str
    state: TrainingState
    path: Path


def save(plan: Plan, backend: str, state: TrainingState, folder: Path) -> Path:
    """Write a checkpoint, whole or not at all, then remove all but it and the `plan.keep` - 1 before it.

    Returns:
        The path of its file.

    Raises:
        UsageError: it cannot be written; the earlier ones are as they were.
    """
    arrays = {f"{WEIGHT}{name}": np.require(array, requirements="C") for name, array in state.weights.items()}
    for moment, by_name in state.moments.items():
        arrays |= {f"{MOMENT}{moment}:{name}": np.require(a, requirements="C") for name, a in by_name.items()}
    epoch, step = plan.position(state.step)
    run = {"step": state.step, "epoch": epoch, "step_in_epoch": step, "backend": backend, "plan": plan.to_json()}
    about = json.dumps({**run, "versions": versions()})
    metadata = {"format": FORMAT, "run": about, "sha256": digest(arrays, about)}
    path = write_atomically(file_of(folder, state.step), safetensors_numpy.save(arrays, metadata))
    stay = [file for file in files(folder) if file.name <= path.name][-plan.keep :]
    for file in files(folder):
        if file not in stay:
            file.unlink()
    return path


def file_of(folder: Path, step: int) -> Path:
    """The path of the checkpoint of a step."""
    return folder / f"step-{step:010d}.safetensors"


def step_of(path: Path) -> int:
    """The step that a checkpoint's name says."""
    return int(path.stem.removeprefix("step-"))


def files(folder: Path) -> list[Path]:
    """All checkpoints of a folder, the oldest first."""
    return sorted(path for path in folder.glob("step-*.safetensors") if FILE.fullmatch(path.name))


def latest(place: Path) -> Path:
    """The absolute path of the newest checkpoint of a run's folder, or of `place` itself if it is a file.

    Raises:
        UsageError: there is none.
    """
    whole = place.resolve()
    if whole.is_file():
        return whole
    checkpoints = files(whole / CHECKPOINTS) or files(whole)
    if not checkpoints:
        what = "holds no checkpoint" if whole.is_dir() else "is not there"
        raise UsageError(f"{place} {what}; name the folder of a run (its --out) or one of its checkpoints")
    return checkpoints[-1]


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and verify it.

    Raises:
        UsageError: it cannot be read, is no checkpoint, or is damaged.
    """
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except OSError as error:
        raise UsageError(f"cannot read checkpoint {path}: {error.strerror or error}") from error
    except (SafetensorError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    if metadata.get("format") != FORMAT and FILE.fullmatch(path.name) is None:
        raise UsageError(f"{path} is no checkpoint of a run ({FORMAT}); name one, or the folder of a run")
    if metadata.get("format") != FORMAT or digest(arrays, metadata.get("run", "")) != metadata.get("sha256"):
        raise _damaged(path, "its content has changed since it was written")
    run = documents.parsed(metadata["run"], f"what checkpoint {path} says of its run", "name another checkpoint")
    if (fault := documents.fault(run, Kept)) is not None:
        versions = run.get("versions") if isinstance(run, dict) else None
        wrote = versions.get("netparity") if isinstance(versions, dict) else None
        raise UsageError(f"checkpoint {path} was written by netparity {wrote}, which this one cannot read: {fault}")
    return Checkpoint(Plan.from_json(run["plan"]), run["backend"], _state(path, arrays, run["step"]), path)


def later(path: Path) -> list[Path]:
    """The sound checkpoints of later steps beside this one, the oldest first."""
    return [file for file in files(path.parent) if file.name > path.name and _is_sound(file)]


def _is_sound(path: Path) -> bool:
    try:
        load(path)
    except UsageError:
        return False
    return True


def digest(arrays: Mapping[str, NDArray[Any]], about: str) -> str:
    """SHA-256 in hexadecimal over all arrays, their names, dtypes and shapes, and the text `about`."""
    total = hashlib.sha256(about.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name}{array.dtype.str}{array.shape}".encode())
        total.update(array.data)
    return total.hexdigest()


def _state(path: Path, arrays: Mapping[str, NDArray], step: int) -> TrainingState:
    weights: Arrays = {}
    moments: dict[str, Arrays] = {}
    for name, array in arrays.items():
        match = ARRAY.fullmatch(name)
        if match is None or array.dtype.kind != "f":
            raise UsageError(f"checkpoint {path} holds {name!r} of {array.dtype}, which no run keeps; name another one")
        moment, parameter = match.groups()
        (weights if moment is None else moments.setdefault(moment, {}))[parameter] = array
    return TrainingState(weights, moments, step)


def _damaged(path: Path, reason: str) -> UsageError:
    older = [file for file in files(path.parent) if file.name < path.name]
    remedy = f"go on from the one before with --resume {older[-1]}" if older else "there is none before it: begin anew"
    return UsageError(f"checkpoint {path} is damaged ({reason}); {remedy}")
