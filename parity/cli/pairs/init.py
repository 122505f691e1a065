"""`parity init`: write a starting file for a pair, and run it."""

import argparse
import sys
from pathlib import Path
from typing import Any

from parity.errors import UsageError

ASKED = {
    "flax": "Flax's network, as package.module:Class or file.py:Class(arguments)",
    "torch": "PyTorch's network, likewise",
    "input": "shape of the input as Flax takes it, such as 2x32x32x3 or 4x16:int32<1000",
}


def add(commands: Any) -> None:
    """Declare the command and its options."""
    init = commands.add_parser("init", help="write a starting file for a pair of yours, and run it")
    init.add_argument("--flax", metavar="PLACE", help=ASKED["flax"])
    init.add_argument("--torch", metavar="PLACE", help=ASKED["torch"])
    init.add_argument("--input", metavar="SHAPE", action="append", help=f"{ASKED['input']}; once for each input")
    init.add_argument("--out", metavar="FILE", default="port.py", help="file to write (port.py)")
    init.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from parity.cli.pairs import starting
    from parity.files import require_writable, write_atomically

    out = Path(arguments.out)
    require_writable("--out", arguments.out)
    if out.exists():
        raise UsageError(f"{out} is there already; name another file with --out")
    flax, torch = (starting.network(side, _asked(arguments, side), out) for side in ("flax", "torch"))
    shapes = arguments.input or _asked(arguments, "input").split()
    text = starting.text(flax, torch, [starting.array(shape) for shape in shapes], f"{out}:pair")
    write_atomically(out, text)
    print(f"written: {out}", file=sys.stderr)
    if missing := dict.fromkeys([*flax.missing, *torch.missing]):
        print(f"fill in {', '.join(missing)} in {out}, then say parity check {out}:pair")
        return 0
    return _check(f"{out}:pair")


def _asked(arguments: argparse.Namespace, name: str) -> str:
    """What an option says, or a person at a terminal who is asked for it."""
    value = getattr(arguments, name)
    if not value and sys.stdin.isatty():
        value = input(f"{ASKED[name]}: ").strip()
    if not value:
        raise UsageError(f"--{name} is missing; give {ASKED[name]}")
    return value


def _check(target: str) -> int:
    """Run `parity check` on what was written."""
    from parity.cli import check

    parser = argparse.ArgumentParser()
    check.add(parser.add_subparsers())
    words = ["check", target]
    checked = parser.parse_args(words)
    checked.words = words
    return checked.run(checked)
