"""The starting file for a pair: what the networks' classes say of themselves, and the text."""

import ast
import inspect
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from parity.errors import UsageError, unknown_name
from parity.interface.user_code import place_in_user_code, words

FILL_IN = "..."
OFF = {"train": False, "training": False, "is_training": False, "deterministic": True, "use_running_average": True}
"""Arguments by which Flax's networks are told that they do not train."""
INPUT = re.compile(r"(?P<shape>\d+(x\d+)*)(:(?P<dtype>[a-z]+\d*)(<(?P<below>\d+))?)?")
BELOW = 10


@dataclass(frozen=True)
class Network:
    """One side of a starting pair.

    Args:
        line: The import of its class.
        call: What makes the network, as source.
        missing: Arguments that only the user knows.
        kind: "linen", "nnx", "torch" or "function".
        more: Further keywords of Linen's `init`, as source.
    """

    line: str
    call: str
    missing: Sequence[str] = ()
    kind: str = "function"
    more: str = ""


def network(side: str, place: str, out: Path) -> Network:
    """What a class, or a function that makes a network, says of itself.

    Args:
        side: "flax" or "torch".
        place: "package.module:Class" or "path/to/file.py:Class", with the arguments in brackets if it takes any.
        out: The file that is to be written, from whose folder the class is imported.

    Raises:
        UsageError: There is no such class, it is of another framework, or its module cannot be imported.
    """
    where, _, source = place.partition(":")
    called = _parsed(source)
    if not where or called is None:
        raise UsageError(f"--{side} got {place!r}; expected package.module:Class, or file.py:Class(arguments)")
    name = ast.unparse(called.func) if isinstance(called, ast.Call) else source
    module = _module(where, out)
    maker = _maker(side, module, name, out)
    kind = _kind(maker)
    if kind != "function" and (kind == "torch") != (side == "torch"):
        raise UsageError(f"--{side} got {place}, which is a network of {'PyTorch' if kind == 'torch' else 'Flax'}")
    arguments = (
        [] if not isinstance(called, ast.Call) else [*map(ast.unparse, called.args), *map(ast.unparse, called.keywords)]
    )
    added, missing = _arguments(maker, arguments, rngs=kind == "nnx")
    prefix = "Flax" if side == "flax" else "Torch"
    alias = name if name.startswith(prefix) else f"{prefix}{name[0].upper()}{name[1:]}"
    line = f"from {module} import {name}{f' as {alias}' if alias != name else ''}"
    return Network(
        line, f"{alias}({', '.join([*arguments, *added])})", missing, kind, _off(maker) if kind == "linen" else ""
    )


def _parsed(source: str) -> ast.expr | None:
    """A name, or a call of one; None if the source is something else."""
    try:
        expression = ast.parse(source, mode="eval").body
    except SyntaxError:
        return None
    named = expression.func if isinstance(expression, ast.Call) else expression
    return expression if isinstance(named, ast.Name) else None


def _module(where: str, out: Path) -> str:
    """The dotted name under which the starting file imports a module."""
    if not where.endswith(".py"):
        return where
    path, folder = Path(where).resolve(), out.resolve().parent
    if not path.is_file():
        raise UsageError(f"there is no file {where}; give file.py:Class")
    if not path.is_relative_to(folder):
        raise UsageError(
            f"{where} is not below {folder}, from where {out.name} imports it; name another file with --out"
        )
    return ".".join(path.relative_to(folder).with_suffix("").parts)


def _maker(side: str, module: str, name: str, out: Path) -> Any:
    sys.path.insert(0, str(out.resolve().parent))
    try:
        loaded = import_module(module)
    except Exception as error:  # whatever the user's code raises
        raise UsageError(f"--{side}: {module} cannot be imported: {words(error)}{place_in_user_code(error)}") from error
    if not hasattr(loaded, name):
        known = [key for key, value in vars(loaded).items() if callable(value) and not key.startswith("_")]
        raise unknown_name(f"class in {module}", name, known)
    return getattr(loaded, name)


def _kind(maker: Any) -> str:
    bases = [base.__module__ for base in getattr(maker, "__mro__", ())]
    kinds = {"linen": "flax.linen", "nnx": "flax.nnx", "torch": "torch.nn"}
    return next((kind for kind, home in kinds.items() if any(base.startswith(home) for base in bases)), "function")


def _arguments(maker: Any, arguments: Sequence[str], rngs: bool) -> tuple[list[str], list[str]]:
    """What is to be written after the given arguments, and the names among it that only the user knows."""
    parameters = [p for p in _signature(maker) if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    named = {text.partition("=")[0] for text in arguments if "=" in text}
    left = [p.name for p in parameters[len(arguments) - len(named) :] if p.name not in named and p.default is p.empty]
    known = {"rngs": "nnx.Rngs(0)"} if rngs else {}
    missing = [name for name in left if name not in known]
    return [f"{name}={known.get(name, FILL_IN)}" for name in left], missing


def _signature(maker: Any) -> list[inspect.Parameter]:
    """The parameters of a function, or of a class, whose metaclass may hide them."""
    initialiser = next(
        (base.__dict__["__init__"] for base in getattr(maker, "__mro__", ()) if "__init__" in vars(base)), None
    )
    return [*inspect.signature(initialiser or maker).parameters.values()][bool(initialiser) :]


def _off(maker: Any) -> str:
    parameters = inspect.signature(maker.__call__).parameters
    return "".join(f", {name}={value}" for name, value in OFF.items() if name in parameters)


def array(text: str) -> str:
    """The source of a random array of that shape and dtype.

    Args:
        text: Such as "2x32x32x3" (float32), "4x16:int32<1000" (whole numbers from 0 to 999) or "4x16:bool".

    Raises:
        UsageError: It is something else.
    """
    if (match := INPUT.fullmatch(text)) is None:
        raise UsageError(f"--input got {text!r}; expected a shape such as 2x32x32x3, or 4x16:int32<1000")
    shape, dtype = repr(tuple(map(int, match["shape"].split("x")))), match["dtype"]
    if dtype == "bool":
        return f"rng.random({shape}) < 0.5"
    if dtype and dtype.startswith(("int", "uint")):
        return f'rng.integers({match["below"] or BELOW}, size={shape}, dtype="{dtype}")'
    return f'rng.standard_normal({shape}).astype("{dtype or "float32"}")'


def text(flax: Network, torch: Network, arrays: Sequence[str], place: str) -> str:
    """The starting file.

    Args:
        flax, torch: The two networks.
        arrays: Source of each input, in the layout that Flax takes.
        place: What `parity check` is given.
    """
    linen, nnx = flax.kind == "linen", flax.kind == "nnx"
    images = any(array.startswith("rng.standard") and array.count(",") == 3 for array in arrays)
    first = "inputs" if len(arrays) == 1 else "*inputs"
    body = [
        "rng = np.random.default_rng(0)",
        f"inputs = {arrays[0] if len(arrays) == 1 else '(' + ', '.join(arrays) + ')'}",
        f"flax_model = {flax.call}",
        *([f"variables = flax_model.init(jax.random.key(0), {first}{flax.more})"] if linen else []),
        f"torch_model = {torch.call}",
        *(['options = {"to_torch": "NHWC->NCHW"}  # images have their channels last in Flax'] if images else []),
        f"return {'(flax_model, variables)' if linen else 'flax_model'}, torch_model, inputs{', options' * images}",
    ]
    imports = [*["import jax"] * linen, "import numpy as np", *["from flax import nnx"] * nnx, flax.line, torch.line]
    head = f'"""The two networks that `parity check {place}` compares, and what both are called with."""'
    return "\n".join([head, "", *imports, "", "", "def pair():", *(f"    {line}" for line in body), ""])
