"""Makes tables equal that the two frameworks rounded otherwise, so that the rest of the networks can be judged."""

from parity.checks.tables import is_table, nudged
from parity.interface.observation import EqualTables, Inputs, Table
from parity.interface.side import Side
from parity.pair.arrays.equal_tables import Match, matches
from parity.pair.passes.sides import SidePair
from parity.pair.weightmap.pairing.pairings import WeightMap


def unify_tables(pair: SidePair, weight_map: WeightMap, inputs: Inputs | None = None) -> list[str]:
    """Give Flax's tables PyTorch's numbers where both are one table, rounded otherwise, from now on.

    Args:
        pair: The two sides.
        weight_map: Says which buffers have no counterpart, and are tables.
        inputs: Inputs in the place of the pair's: a table may be as long as they are.

    Returns:
        A note on each pair of tables that was made equal.

    Raises:
        UserCodeError: A network does not run.
    """
    ours, theirs = held_tables(pair.flax, weight_map), held_tables(pair.torch, weight_map)
    with pair.watch.running("the search for tables"):
        flax = pair.flax.tables(pair.pair_inputs.adapted("flax", inputs), ours)
        held = [Table(pair.flax.native[name], nudged(pair.flax.native[name]), name) for name in ours]
        torch = pair.torch.tables(pair.pair_inputs.adapted("torch", inputs), theirs) if flax or held else []
    stored = {match.flax.place: match for match in matches([t for t in held if is_table(t.array)], torch)}
    computed = list(matches(flax, torch))
    pair.flax.unify(
        [EqualTables(match.flax.array, match.after) for match in computed],
        {name: match.after for name, match in stored.items()},
    )
    return list(dict.fromkeys(_note(match) for match in [*stored.values(), *computed]))


def held_tables(side: Side, weight_map: WeightMap) -> list[str]:
    """The native names of a side's arrays that are not mapped and not learnt: they are tables."""
    units = weight_map.lone_flax if side.framework == "flax" else weight_map.lone_torch
    names = [name for unit in units for packing in unit.arrays.values() for name in packing.names]
    return [name for name in names if name not in side.parameters]


def _note(match: Match) -> str:
    places = [
        f"{framework}'s {table.place or 'own'}" for framework, table in (("Flax", match.flax), ("PyTorch", match.torch))
    ]
    shape = " × ".join(map(str, match.flax.array.shape))
    return (
        f"the table {shape} at {' and at '.join(places)} is one table: its numbers differ by {match.gap:.1e}, as "
        "float32 rounds them; made equal in the float64 passes"
    )
