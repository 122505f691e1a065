"""What the TPU compiler says, read from samples of its words: no test needs libtpu."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import pytest
from jax import export
from jax.extend import core

import benchmarks.tpu.__main__ as command
from benchmarks.tpu import estimate, record
from benchmarks.tpu.chips import CHIPS, GIB, PASSES
from benchmarks.tpu.estimate import Estimate
from benchmarks.tpu.export import exported, judged
from benchmarks.tpu.program import has_loops, matrix_flops, unrolled
from benchmarks.tpu.workloads import WORKLOADS, products_in
from parity.errors import UsageError

SAMPLES = Path(__file__).parent / "samples"
FAST = (SAMPLES / "moons-v5e-fast.txt").read_text()
DEFAULT = (SAMPLES / "rnn-v5e-default.txt").read_text()
RECORD = record.read(command.newest())
ESTIMATES = record.estimates(RECORD)
STEPS = ("moons", "mlp", "vgg-32", "rnn-30")
MEMORY = {"argument": 47259648, "output": 45687296, "alias": 45685760, "temp": 2610176}
"""Of the MLP on a v5e, fast."""


def like_mlp(**changes: Any) -> Estimate:
    about: dict[str, Any] = {
        "workload": "mlp",
        "batch": 128,
        "chip": "v5e",
        "precision": "highest",
        "effort": "fast",
        "fits": True,
        "available_bytes": 16911433728,
        "matrix_flops": 2115895296,
        "compile_seconds": 20.7,
        "loops_unrolled": False,
        "needed_bytes": 49871360,
        "memory": MEMORY,
    }
    return Estimate(**{**about, **changes})


def test_cycles_are_those_of_every_fusion() -> None:
    assert estimate.cycles(FAST) == 1894 + 1882 + 1914
    assert estimate.cycles("HloModule empty") == 0


def test_what_stays_on_the_chip_is_seen() -> None:
    assert estimate.stays_in_hbm(FAST)
    assert not estimate.stays_in_hbm(DEFAULT)
    assert not estimate.stays_in_hbm("%copy-start = (f32[800,2]{0,1:T(2,128)S(3)}, f32[800,2]{0,1:T(2,128)}")  # a v4's
    assert estimate.stays_in_hbm("%copy.8 = f32[]{:T(128)S(6)} copy(%rate.1)")  # a scalar's memory


@pytest.mark.parametrize("text", [FAST, DEFAULT])
def test_a_program_for_a_tpu_is_known_by_its_tiles(text: str) -> None:
    assert estimate.require_tpu(text) == text


def test_a_program_for_the_cpu_is_never_reported() -> None:
    text = jax.jit(lambda x: jnp.tanh(x @ x)).lower(jnp.ones((8, 8))).compile().as_text() or ""
    with pytest.raises(UsageError, match="not for a TPU"):
        estimate.require_tpu(text)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "RESOURCE_EXHAUSTED: Ran out of memory on HBM, the total memory required for HLO temporaries (45.37G) "
            "exceeds available HBM (15.75G).",
            (round(45.37 * GIB), round(15.75 * GIB)),
        ),
        (
            "RESOURCE_EXHAUSTED: Ran out of memory in memory space hbm. Used 512.5M of 15.75G hbm. Exceeded",
            (round(512.5 * 2**20), round(15.75 * GIB)),
        ),
        ("RESOURCE_EXHAUSTED: something else", None),
    ],
)
def test_what_does_not_fit_says_by_how_much(message: str, expected: tuple[int, int] | None) -> None:
    assert estimate.lacking(message) == expected


def test_memory_needed_counts_what_is_taken_over_once() -> None:
    stats = SimpleNamespace(**{f"{kind}_size_in_bytes": size for kind, size in MEMORY.items()})
    assert estimate.memory(stats) == MEMORY
    assert estimate.needed(MEMORY) == 49871360
    assert like_mlp().margin_bytes == 16911433728 - 49871360
    assert like_mlp(needed_bytes=None).margin_bytes is None


def test_calls_of_unknown_cost_are_added_back() -> None:
    assert estimate.optimal({"optimal_seconds": 7.2e-06}) == (7.2e-06, 0)
    seconds, calls = estimate.optimal({"optimal_seconds": -0.9994030594825745})  # of the MLP at default effort
    assert calls == 1 and 0.00059 < seconds < 0.0006


def test_the_lower_bound_knows_the_precision_and_what_binds() -> None:
    products, few = 10**12, {"argument": 819, "output": 0}
    seconds, by = estimate.roofline("v5e", "default", products, few)
    assert (seconds, by) == (products / 197e12, "compute")
    assert estimate.roofline("v5e", "highest", products, few)[0] == 6 * products / 197e12
    assert estimate.roofline("v5e", "high", 0, {"argument": 819, "output": 819}) == (2e-9, "bandwidth")
    assert estimate.roofline("tpu7x", "default", products, few)[0] == 2 * products / 2307e12  # a device is half a chip


def test_products_are_counted_as_often_as_they_run() -> None:
    def step(h: jax.Array, _: None) -> tuple[jax.Array, None]:
        return jnp.tanh(h @ jnp.ones((8, 8))), None

    jaxpr = jax.make_jaxpr(lambda h: jax.lax.scan(step, h, length=5)[0])(jnp.ones((4, 8)))
    assert matrix_flops(jaxpr.jaxpr) == 5 * 2 * 4 * 8 * 8
    assert has_loops(jaxpr.jaxpr)
    written_out = jax.jit(core.jaxpr_as_fun(unrolled(jaxpr)))
    assert "while" in jax.jit(core.jaxpr_as_fun(jaxpr)).lower(jnp.ones((4, 8))).as_text()
    assert "while" not in written_out.lower(jnp.ones((4, 8))).as_text()


@pytest.mark.parametrize(
    "program",
    [
        lambda n: jax.lax.while_loop(lambda i: i < n, lambda i: i + 1, 0),
        lambda n: jax.lax.cond(n > 2, lambda i: i + 1, lambda i: i, n),
    ],
)
def test_what_runs_nobody_knows_how_often_is_refused(program: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="how often"):
        matrix_flops(jax.make_jaxpr(program)(3).jaxpr)


@pytest.mark.parametrize(
    ("size", "options"),
    [
        (5, {"window_strides": (1, 1), "padding": ((1, 1), (1, 1))}),
        (6, {"window_strides": (2, 2), "padding": ((0, 1), (0, 1))}),
        (4, {"window_strides": (1, 1), "padding": ((2, 1), (2, 1)), "lhs_dilation": (2, 2)}),
        (7, {"window_strides": (1, 1), "padding": ((2, 2), (2, 2)), "rhs_dilation": (2, 2)}),
    ],
)
def test_a_convolution_counts_as_the_products_that_meet_the_image(size: int, options: dict[str, Any]) -> None:
    def convolved(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(x, kernel, dimension_numbers=("NHWC", "HWIO", "NHWC"), **options)

    x, kernel = jnp.ones((2, size, size, 3)), jnp.ones((3, 3, 3, 4))
    products = float(convolved(x, kernel).sum())  # of ones, each product adds 1
    assert matrix_flops(jax.make_jaxpr(convolved)(x, kernel).jaxpr) == 2 * products


def test_the_mlp_has_three_products_a_layer_but_for_the_images_gradient() -> None:
    step, inputs = WORKLOADS["mlp"].step()
    with products_in("highest"):
        jaxpr = step.trace(*inputs).jaxpr
    sizes = [3072 * 1024, 1024 * 512, 512 * 256, 256 * 10]
    assert matrix_flops(jaxpr.jaxpr) == 2 * 128 * (3 * sum(sizes) - sizes[0])


@pytest.mark.parametrize("name", STEPS)
def test_every_step_lowers_for_tpus_without_libtpu(name: str) -> None:
    found = exported(WORKLOADS[name])
    assert found.faults == () and found.operations > 100


def test_what_has_no_place_on_a_tpu_is_told() -> None:
    like = jax.ShapeDtypeStruct((4, 4), jnp.float64)
    with jax.enable_x64(True):
        wide = export.export(jax.jit(lambda x: x * 2), platforms=["tpu"])(like)
        other = export.export(jax.jit(jnp.linalg.inv), platforms=["cpu"])(jax.ShapeDtypeStruct((4, 4), jnp.float32))
    assert judged(wide).faults == ("it has float64, which a TPU only emulates",)
    faults = judged(other).faults
    assert faults[0] == "it is for cpu" and any(fault.startswith("it calls lapack") for fault in faults)


def test_the_command_exports(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--export", "--workload", "moons"]) == 0
    assert capsys.readouterr().out.startswith("moons: ")


def test_without_libtpu_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    assert command.main(["--chip", "v5e"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "libtpu, the TPU compiler, is not installed; pip install 'netparity[tpu-aot]'\n"


def test_a_chip_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask_compiler(chip: str, workload: str = "", *_: str) -> list[tuple[str, Any]]:
        if chip == "v4":
            return [("failure", "crashed")]
        return [("estimate", record.asdict(like_mlp(chip=chip)))] if workload else [("chip", {"kind": chip})]

    monkeypatch.setattr(command, "ask_compiler", ask_compiler)
    kept = record.empty()
    found = [one for some in command.sweep(kept, ["v4", "v5e"], ["mlp"], ["highest"], "fast") for one in some]
    assert [one.chip for one in found] == ["v5e"] and record.estimates(kept) == found
    assert kept["failures"] == ["v4: crashed", "v4, mlp, fast: crashed"]


def test_a_process_that_dies_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    died = SimpleNamespace(stdout='{"chip": {"kind": "TPU"}}\n', stderr="noise\nlast words\n", returncode=-9)
    monkeypatch.setattr(command.subprocess, "run", lambda *_, **__: died)
    assert list(command.ask_compiler("v5e")) == [
        ("chip", {"kind": "TPU"}),
        ("failure", "the compiler's process ended with -9: last words"),
    ]


def test_runs_add_to_a_record(tmp_path: Path) -> None:
    kept = record.empty()
    record.add(kept, [like_mlp(), like_mlp(chip="v4")])
    record.add(kept, [like_mlp(compile_seconds=1.0)])
    record.write(kept, tmp_path / "record.json")
    again = record.read(tmp_path / "record.json")
    assert again == json.loads(json.dumps(kept)) and again["label"] == "compiler estimate"
    assert [(one.chip, one.compile_seconds) for one in record.estimates(again)] == [("v5e", 1.0), ("v4", 20.7)]
    assert record.read(tmp_path / "none.json") == record.empty()


def test_a_table_says_what_does_not_fit_and_by_how_much() -> None:
    small = like_mlp(fits=False, needed_bytes=2 * GIB, available_bytes=GIB, memory={})
    cells = record.table([small]).splitlines()[2].split(" | ")
    assert cells[3:6] == ["**no**", "2 GiB", "-1 GiB"]
    assert cells[7:12] == ["–"] * 5


def test_the_chips_are_told_apart() -> None:
    assert len({chip.kind for chip in CHIPS.values()}) == len(CHIPS)
    assert all(chip.source.startswith("https://docs.cloud.google.com/tpu/docs/") for chip in CHIPS.values())
    assert [*PASSES.values()] == [1, 3, 6]


def test_the_compiler_takes_no_chip_for_more_than_it_is() -> None:
    assert RECORD["chips"].keys() == CHIPS.keys()
    for name, found in RECORD["chips"].items():
        chip = CHIPS[name]
        assert found["kind"] == chip.kind
        assert found["flops_per_second"] <= 1.001 * chip.device_flops
        assert found["bytes_per_second"] <= 1.001 * chip.device_bandwidth
        assert found["available_bytes"] <= 1.01 * chip.hbm_bytes / chip.devices  # a v5p's 95 GB are 95.74 GiB
        assert found["cycles"]["default"] < found["cycles"]["high"] < found["cycles"]["highest"]


def test_the_record_has_every_step_on_every_chip_in_every_precision() -> None:
    assert RECORD["label"] == record.LABEL and RECORD["failures"] == []
    fast = {(one.workload, one.chip, one.precision) for one in ESTIMATES if one.effort == "fast"}
    steps = [name for name in WORKLOADS if name != "vgg-65536"]
    assert fast >= {(step, chip, precision) for step in steps for chip in CHIPS for precision in PASSES}


def test_bytes_of_hbm_are_given_where_they_are_nothing_else() -> None:
    for one in ESTIMATES:
        assert not one.fits or one.effort == "default" or one.hbm_bytes is not None, one
        assert one.effort == "fast" or one.hbm_bytes is None, one


def test_no_estimate_is_below_its_lower_bound() -> None:
    compared = [one for one in ESTIMATES if one.fits and one.precision == "default" and not one.loops_unrolled]
    assert compared
    for one in compared:
        assert one.roofline_seconds is not None and one.optimal_seconds is not None
        assert one.roofline_seconds <= one.optimal_seconds, one


def test_a_step_fits_where_the_chip_has_what_it_needs() -> None:
    assert {one.fits for one in ESTIMATES} == {True, False}
    for one in ESTIMATES:
        assert one.margin_bytes is not None and one.fits == (one.margin_bytes >= 0), one
        assert not one.fits or one.needed_bytes == estimate.needed(one.memory)


def test_the_page_is_that_of_the_record_and_says_first_what_it_is() -> None:
    assert command.main(["--page", "--check"]) == 0
    title, first = command.PAGE.read_text().split("\n\n")[:2]
    assert title.startswith("# ") and "compiler estimates, not measurements" in first
