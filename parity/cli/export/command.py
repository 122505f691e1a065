"""`parity export`: write a network as a file that runs without this package."""

import argparse
from pathlib import Path
from typing import Any

from parity.cli import options


def add(commands: Any) -> None:
    """Declare the command and its options."""
    export = commands.add_parser(
        "export",
        help="write a network as a file that runs without this package",
        epilog="exit codes: 0 the file is the same function, 1 it is not and was not kept, 2 usage, 3 inconclusive",
    )
    export.add_argument("name", metavar="RECIPE", help="see parity list")
    export.add_argument("--backend", choices=("jax", "torch"), required=True, help="jax.export or torch.export")
    export.add_argument("--out", metavar="FILE", required=True, help="the file; one that is there is replaced")
    export.add_argument("--weights", metavar="FILE", help="safetensors of canonical weights; initial ones if left out")
    export.add_argument("--precision", choices=("float32", "float64"), default="float32", help="float32")
    options.add_seed(export)
    options.add_quiet(export)
    export.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from parity import recipes, weights
    from parity.cli.shown.progress import ShownProgress
    from parity.files import require_writable
    from parity.interface.frameworks import framework_of
    from parity.report.exit_codes import exit_code
    from parity.twins.export import export

    recipe = recipes.load(arguments.name)
    require_writable("--out", arguments.out)
    inputs = None if arguments.weights is None else weights.load(arguments.weights)
    with ShownProgress(arguments.quiet) as progress:
        progress.note(f"{recipe.name}: writing the file, and running it apart from this package")
        result = export(
            recipe,
            framework_of(arguments.backend),
            Path(arguments.out),
            precision=arguments.precision,
            weights=inputs,
            seed=arguments.seed,
        )
    worst = max(result.findings, key=lambda finding: finding.share)
    kept = f"{result.path}, {result.size:,} bytes" if result.path else f"{arguments.out} was not written"
    print(f"{result.verdict.upper()}: {recipe.name} in {arguments.backend}, {kept}")
    print(f"{len(result.findings)} batches; the largest gap is {worst.share:.1f} × rounding, 1024 is the limit")
    return exit_code([result.verdict])
