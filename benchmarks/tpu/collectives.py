"""The exchanges between chips, read from the text of a compiled program."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal

from benchmarks.tpu.arrays import Array, arrays
from parity.documents import EXACT, Count, Whole
from parity.errors import UsageError

Kind = Literal[
    "all-reduce", "all-gather", "reduce-scatter", "all-to-all", "ragged-all-to-all", "collective-broadcast",
    "collective-permute",
]  # fmt: skip
COMPUTATION = re.compile(r"^(?P<entry>ENTRY )?%?(?P<name>[\w.\-]+) \(.*\{$")
INSTRUCTION = re.compile(r"^\s+(?:ROOT )?%?(?P<name>[\w.\-]+) = (?P<type>.*?) (?P<opcode>[a-z][\w\-]*)\((?P<rest>.*)$")
COLLECTIVE = re.compile(
    r"(?P<kind>all-reduce|all-gather|reduce-scatter|(?:ragged-)?all-to-all|collective-(?:broadcast|permute))"
    r"(?P<half>-start|-done)?$"
)
LATER = re.compile(r"-(?:done|update)$")
"""Opcodes of instructions that name a computation which an earlier instruction has begun."""
CALLED = re.compile(r"(?:calls|to_apply|body|condition|true_computation|false_computation)=%?([\w.\-]+)")
BRANCHES = re.compile(r"branch_computations=\{([^}]*)\}")
CONDITION = re.compile(r"condition=%?([\w.\-]+)")
TRIPS = re.compile(r'"known_trip_count":\{"n":"(\d+)"')
CONSTANT = re.compile(r"= s(?:32|64)\[\][^ ]* constant\((\d+)\)")
LISTED = re.compile(r"replica_groups=\{\{([\d,]*)\}")
IOTA = re.compile(r"replica_groups=\[\d+,(\d+)\]<=")
MESH = re.compile(r"replica_groups=@?mesh\[([^\]]*)\] ?\{([^}]*)\}")
AXIS = re.compile(r"'([^']+)'=(\d+)")
OPERAND = re.compile(r"%([\w.\-]+)")


@dataclass(frozen=True)
class Collective:
    """One exchange between chips, or several alike.

    Args:
        kind: HLO's name of the operation.
        types: element types of its arrays, separated by commas.
        arrays: number of arrays that go together in it.
        bytes: bytes of one exchange: of all its arrays, without padding, as each chip has them when they are whole,
            which is before a reduce-scatter and after all others.
        group: number of chips that exchange with each other.
        count: number of instructions like this.
        times: number of runs of each in a step, more than one in a loop.
    """

    kind: Kind
    types: str
    arrays: Count
    bytes: Whole
    group: Count
    count: Count = 1
    times: Count = 1
    __pydantic_config__ = EXACT

    @property
    def step_bytes(self) -> int:
        """The bytes of all of them in a step."""
        return self.bytes * self.count * self.times


def collectives_of(text: str, chips: int) -> list[Collective]:
    """All collectives in the text of a program for `chips` chips, equal ones counted together, the largest first."""
    counted = Counter(_Program(text, chips).below("ENTRY"))
    return sorted(
        (replace(collective, count=count) for collective, count in counted.items()),
        key=lambda collective: -collective.step_bytes,
    )


class _Program:
    """The computations of a program, by name, and the collectives of each.

    Args:
        text: the program's HLO.
        chips: number of chips that it is compiled for.
    """

    def __init__(self, text: str, chips: int) -> None:
        self.computations = _computations(text)
        self.chips = chips
        self.known: dict[str, list[Collective]] = {}

    def below(self, name: str) -> list[Collective]:
        """The collectives of one run of a computation, with those of the computations that it calls."""
        if name not in self.known:
            lines = {match["name"]: match for line in self.computations[name] if (match := INSTRUCTION.match(line))}
            self.known[name] = [
                collective for line in lines.values() for collective in (*self._direct(line, lines), *self._inner(line))
            ]
        return self.known[name]

    def _direct(self, line: re.Match[str], lines: Mapping[str, re.Match[str]]) -> Iterator[Collective]:
        kind = COLLECTIVE.match(line["opcode"])
        if kind and kind["half"] != "-start":  # whose type is not the result's
            attributes = lines[OPERAND.findall(line["rest"])[0]]["rest"] if kind["half"] else line["rest"]
            yield _collective(kind["kind"], list(arrays(line["type"])), group_size(attributes, self.chips))

    def _inner(self, line: re.Match[str]) -> Iterator[Collective]:
        if not LATER.search(line["opcode"]):
            for called in _called(line["rest"]):
                inner = self.below(called)
                times = trips(line[0], self.computations) if inner and line["opcode"] == "while" else 1
                yield from (replace(collective, times=collective.times * times) for collective in inner)


def _collective(kind: Any, results: list[Array], group: int) -> Collective:
    size = sum(array.bytes for array in results) * (group if kind == "reduce-scatter" else 1)
    return Collective(kind, ",".join(sorted({array.type for array in results})), len(results), size, group)


def group_size(attributes: str, chips: int) -> int:
    """The number of chips that exchange with each other, in any of HLO's ways to write it.

    Raises:
        UsageError: it is written in another way.
    """
    if "replica_groups={}" in attributes or "source_target_pairs=" in attributes:
        return chips
    if listed := LISTED.search(attributes):
        return len(listed[1].split(","))
    if iota := IOTA.search(attributes):
        return int(iota[1])
    if mesh := MESH.search(attributes):
        sizes = {name: int(size) for name, size in AXIS.findall(mesh[1])}
        return prod(sizes[name] for name in re.findall(r"'([^']+)'", mesh[2]))
    raise UsageError(f"a collective does not say who takes part: {attributes[:200]}; expected replica_groups")


def _computations(text: str) -> dict[str, list[str]]:
    computations: dict[str, list[str]] = {}
    for line in text.splitlines():
        if begin := COMPUTATION.match(line):
            computations["ENTRY" if begin["entry"] else begin["name"]] = lines = []
        elif computations:
            lines.append(line)
    if "ENTRY" not in computations:
        raise UsageError("the compiled program's text has no ENTRY computation; expected HLO")
    return computations


def _called(line: str) -> list[str]:
    branches = [name.strip().lstrip("%") for group in BRANCHES.findall(line) for name in group.split(",")]
    return [*CALLED.findall(line), *branches]


def trips(loop: str, computations: Mapping[str, list[str]]) -> int:
    """The number of runs of a `while`: the compiler's own number, or the bound of a condition that counts up to it.

    Raises:
        UsageError: there is neither.
    """
    if known := TRIPS.search(loop):
        return int(known[1])
    lines = [line for name in CONDITION.findall(loop) for line in computations[name]]
    bounds = [int(bound) for line in lines for bound in CONSTANT.findall(line)]
    if len(bounds) == 1 and any("direction=LT" in line for line in lines):
        return bounds[0]
    raise UsageError(f"a loop does not say how often it runs: {loop.strip()[:200]}; expected known_trip_count")
