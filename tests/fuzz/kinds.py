"""Sound files of every kind that `parity` reads, how each is mutated, and how it is read."""

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from parity import weights
from parity.backends import twin_class
from parity.cli.main import main
from parity.data import cifar10, fashion_mnist, idx
from parity.errors import UsageError
from parity.interface import random as initial
from parity.interface.packing import whole
from parity.interface.unit import Kind, Unit
from parity.pair.repro import replay
from parity.pair.weightmap import file as mapfile
from parity.pair.weightmap.pairing.assemble import Held, map_weights
from parity.recipes import load
from parity.study import runs
from parity.training import checkpoint, journal, make_plan, make_twin
from tests.data.made import cifar_batch, fashion_folder
from tests.fuzz.mutate import changed, mutated, mutated_gzip, mutated_json, mutated_lines, mutated_safetensors

Change = Callable[[bytes, np.random.Generator], bytes]
RECIPE = load("moons")
PLAN = make_plan(RECIPE, data="moons", precision="float64", steps=2, evaluate_every=1, checkpoint_every=1)
RUN = ["train", "moons", "--backend", "numpy"]


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Args:
        files: of a sound folder.
        changes: those that are mutated, and how.
        read: reads the folder, with all that is read of it later; raises UsageError.
        writes: whether it may write to the folder.
    """

    files: Mapping[str, bytes]
    changes: Mapping[str, Change]
    read: Callable[[Path], Any]
    writes: bool = False


def said(run: Callable[[list[str]], int], argv: list[str]) -> str:
    """What a command prints; UsageError with its one line where it refuses."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(argv)
    if code == 2:
        assert out.getvalue() == "", argv
        raise UsageError(err.getvalue().splitlines()[-1])
    assert code in (0, 1), (code, argv)
    return out.getvalue()


def every(folder: Path) -> dict[str, Target]:
    """All kinds, by name; they are made in an empty folder."""
    one = {
        "weights": _weights(folder / "weights.safetensors"),
        "images": _one("images-idx3-ubyte", _IMAGES, mutated, lambda p: idx.parse_idx(p.read_bytes(), p.name)),
        "cifar10, as if signed": _one("data_batch_1", _batch(), mutated, _cifar),
        "weight map": _one("map.json", _map(folder / "map.json"), mutated_json, _read_map),
        "saved layers": _one("saved.npz", _npz(), mutated, lambda path: replay._feeds(replay._read(path), "flax")),
    }
    return {**one, **_fashion(folder / "fashion"), **_run(folder / "run")}


def _one(name: str, content: bytes, change: Change, read: Callable[[Path], Any]) -> Target:
    return Target({name: content}, {name: change}, lambda folder: read(folder / name))


def _weights(path: Path) -> Target:
    twin = twin_class("numpy")(twin_class("numpy").build(RECIPE.network, RECIPE.config))
    weights.save(initial.draw(twin.shapes(), "default", 0), path)
    return _one(path.name, path.read_bytes(), mutated_safetensors, lambda place: twin.load(weights.load(place)))


_IMAGES = b"\x00\x00\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (4, 3, 3)) + bytes(range(36))


def _batch() -> bytes:
    return cifar_batch(np.zeros((5, 3072), np.uint8), [0, 1, 2, 3, 4], python2=True)


def _cifar(path: Path) -> Any:
    """As if its publisher had signed it: the unpickler alone must hold."""
    return cifar10._read(path, hashlib.md5(path.read_bytes()).hexdigest())


def _fashion(folder: Path) -> dict[str, Target]:
    folder.mkdir()
    checksums = fashion_folder(folder, compressed=True)
    files = _files(folder)
    changes = dict.fromkeys(files, mutated_gzip)

    def signed(place: Path) -> Any:
        return fashion_mnist.load_fashion_mnist(place, checksums={n: _md5(place / f"{n}.gz", n) for n in checksums})

    def _md5(path: Path, name: str) -> str:
        try:
            return hashlib.md5(gzip.decompress(path.read_bytes())).hexdigest()
        except Exception:
            return checksums[name]

    read = lambda place: fashion_mnist.load_fashion_mnist(place, checksums=checksums)  # noqa: E731 - as `signed`
    return {
        "fashion-mnist": Target(files, changes, read),
        "fashion-mnist, as if signed": Target(files, changes, signed),
    }


def _run(folder: Path) -> dict[str, Target]:
    """What a run leaves, read alone and gone on with."""
    said(main, [*RUN, "--steps=2", "--evaluate-every=1", "--checkpoint-every=1", f"--out={folder}"])
    files = _files(folder)
    last, metrics, summary = "checkpoints/step-0000000002.safetensors", "metrics.jsonl", "summary.json"
    name = Path(last).name
    kept = _one(name, files[last], mutated_safetensors, _restored)
    changes = {last: mutated_safetensors, metrics: mutated_lines, summary: mutated_json}
    return {
        "checkpoint": kept,
        "checkpoint, as if signed": Target({last: files[last]}, {last: resigned}, _resumed, writes=True),
        "metrics": _one(metrics, files[metrics], mutated_lines, journal.read),
        "summary": _one(summary, files[summary], mutated_json, lambda path: runs._kept(path.parent, PLAN)),
        "run": Target(files, changes, _resumed, writes=True),
    }


def _restored(path: Path) -> None:
    found = checkpoint.load(path)
    make_twin(found.plan, "numpy").session(found.plan.recipe.optimizer).load(found.state)


def _resumed(folder: Path) -> str:
    return said(main, [*RUN, f"--resume={folder}", "--steps=3"])


def resigned(data: bytes, rng: np.random.Generator) -> bytes:
    """A checkpoint that says something else of its run, with the digest of that."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    about = header["__metadata__"]
    about["run"] = json.dumps(changed([json.loads(about["run"])], rng)[:1])[1:-1]
    arrays = {
        name: np.frombuffer(data[end:], one["dtype"].replace("F64", "<f8"), int(np.prod(one["shape"])), first)
        for name, one in header.items()
        if name != "__metadata__"
        for first in one["data_offsets"][:1]
    }
    arrays = {name: array.reshape(header[name]["shape"]) for name, array in arrays.items()}
    about["sha256"] = checkpoint.digest(arrays, about["run"])
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[end:]


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


SHAPES: Mapping[str, tuple[int, ...]] = {
    "conv.kernel": (3, 3, 2, 4), "conv.bias": (4,), "dense.kernel": (5, 5), "dense.bias": (5,),
}  # fmt: skip
KINDS: tuple[Kind, ...] = ("conv", "dense")
UNITS = tuple(
    Unit(kind, kind, {role: whole(f"{kind}.{role}") for role in ("kernel", "bias")}, {}, order)
    for order, kind in enumerate(KINDS)
)


def _map(path: Path) -> bytes:
    """A map in which everything is said that can be."""
    mapfile.write(map_weights(Held(UNITS, SHAPES), Held(UNITS, SHAPES)), path)
    document = json.loads(path.read_text())
    for pair in document["pairs"]:
        for array in pair["arrays"]:
            shape = array["shape"]
            for side in ("flax", "torch"):
                array |= {f"{side}_reshaped": shape, f"{side}_transposed": list(range(len(shape)))}
            array["offset"] = 1.0
    return json.dumps(document).encode()


def _read_map(path: Path) -> Any:
    return mapfile.read(path, UNITS, UNITS, (SHAPES, SHAPES))


def _npz() -> bytes:
    buffer, array = io.BytesIO(), np.arange(6, dtype=np.float64).reshape(2, 3)
    saved = {"leaves": np.zeros(2, np.int64), "flax feeds 3 0": array, "torch arrays a.weight": array}
    np.savez_compressed(buffer, allow_pickle=False, **saved)
    return buffer.getvalue()
