"""What passes between chips, read from a text made by hand and from programs compiled for the CPU's host devices."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.tpu.arrays import Array, arguments, arrays
from benchmarks.tpu.collectives import Collective, collectives_of, group_size
from benchmarks.tpu.pods import expected
from parity.errors import UsageError

BY_HAND = (Path(__file__).parent / "samples" / "partitioned.hlo").read_text()
HOST_DEVICES = 4
COMPILING = """
import json, sys
from dataclasses import replace

import jax

from benchmarks.tpu.pod_compiler import lowered
from benchmarks.tpu.workloads import WORKLOADS
from parity.backends.flax.training.devices import mesh_of

mesh = mesh_of(jax.devices())
steps = {name: replace(WORKLOADS[name], batch=8) for name in sys.argv[1:]}
print(json.dumps({name: lowered(step, mesh, "highest").compile().as_text() for name, step in steps.items()}))
"""


def test_every_kind_is_found_in_every_place() -> None:
    expected = [
        Collective("collective-permute", "bf16", 1, 2 * 10 * 3, 8, times=3 * 7),
        Collective("all-reduce", "f32,s32", 3, 4 * (3 * 64 + 1 + 2), 8),
        Collective("reduce-scatter", "f32", 1, 4 * 2 * 8, 8, count=2),
        Collective("all-gather", "f32", 1, 4 * 32, 8),
        Collective("all-reduce", "f32", 1, 4 * 5, 4, times=3),
        Collective("all-to-all", "f32", 1, 4 * 6, 4),
    ]
    assert collectives_of(BY_HAND, 8) == expected
    assert [one.step_bytes for one in expected] == [1260, 780, 128, 128, 60, 24]


def test_a_loop_that_exchanges_must_say_how_often_it_runs() -> None:
    silent = BY_HAND.replace('"known_trip_count":{"n":"3"}', "")
    with pytest.raises(UsageError, match=r"a loop does not say how often it runs: .*outer"):
        collectives_of(silent, 8)
    with pytest.raises(UsageError, match="inner"):
        collectives_of(BY_HAND.replace("direction=LT", "direction=NE"), 8)


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ("replica_groups={}, to_apply=%add", 16),
        ("replica_groups={{0,2},{1,3}}, use_global_device_ids=true", 2),
        ("replica_groups=[2,8]<=[16]", 8),
        ("replica_groups=[4,4]<=[2,8]T(1,0)", 4),
        ("replica_groups=mesh['axis_0'=4,'axis_1'=1] {'axis_0'}, to_apply=%add", 4),
        ("replica_groups=mesh['a'=4,'b'=2,'c'=2] {'a','c'}", 8),
        ("source_target_pairs={{0,1},{1,0}}", 16),
    ],
)
def test_groups_are_read_in_each_way_that_they_are_written(attributes: str, size: int) -> None:
    assert group_size(attributes, 16) == size


def test_groups_that_are_written_otherwise_are_no_guess() -> None:
    with pytest.raises(UsageError, match="does not say who takes part"):
        group_size("replica_groups=everyone", 16)


def test_what_is_no_program_is_refused() -> None:
    with pytest.raises(UsageError, match="no ENTRY"):
        collectives_of("module @jit_step {}", 4)


def test_arrays_are_as_large_as_their_tiles() -> None:
    (one,) = arrays("bf16[3,130]{1,0:T(8,128)S(1)}")
    assert one == Array("bf16", (3, 130), (1, 0), (8, 128))
    assert (one.bytes, one.tiled_bytes) == (2 * 3 * 130, 2 * 8 * 256)
    (turned,) = arrays("f32[128,1]{0,1:T(1,128)}")
    assert turned.bytes == turned.tiled_bytes == 512
    assert [one.tiled_bytes for one in arrays("(pred[], s4[6]{0}, f32[]{:T(128)})")] == [1, 3, 512]
    assert sum(one.tiled_bytes for one in arguments(BY_HAND)) == 4 * (8 * 128 + 128)


@pytest.fixture(scope="module")
def compiled() -> dict[str, str]:
    """Steps for the host's devices, compiled in a process that has some."""
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": str(HOST_DEVICES)}
    command = [sys.executable, "-c", COMPILING, "moons", "rnn-30"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    texts: dict[str, str] = json.loads(run.stdout)
    return texts


def test_the_hosts_devices_exchange_what_the_recipe_says(compiled: dict[str, str]) -> None:
    said = expected("moons", 8 // HOST_DEVICES)
    seen = collectives_of(compiled["moons"], HOST_DEVICES)
    assert {(one.kind, one.group, one.times) for one in seen} == {("all-reduce", HOST_DEVICES, 1)}
    assert sum(one.step_bytes for one in seen) == said.exchanged
    assert sum(one.bytes for one in arguments(compiled["moons"])) == said.arguments


def test_a_loops_gradients_are_exchanged_in_each_of_its_turns(compiled: dict[str, str]) -> None:
    said, seen = expected("rnn-30", 8 // HOST_DEVICES), collectives_of(compiled["rnn-30"], HOST_DEVICES)
    assert sum(one.bytes * one.count for one in seen) == said.exchanged
    assert {one.times: one.bytes for one in seen}[30] == 4 * (128 + 128 * 128 + 128)  # hx, hh and its bias
