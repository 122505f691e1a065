"""The pairs that a folder lists: in `parity.toml`, or in the table `[tool.netparity]` of its `pyproject.toml`."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import MinLen

from parity import documents, recipes
from parity.documents import EXACT, Whole
from parity.errors import UsageError, unknown_name

FILES = {"parity.toml": (), "pyproject.toml": ("tool", "netparity")}
"""Name of each file that may list pairs → the path of the table in it; the first that has one counts."""
TABLE = "pairs"
REMEDY = "see “Several pairs” in docs/pairs.md"
Words = Annotated[str, MinLen(1)]


@dataclass(frozen=True)
class Listed:
    """A pair as a configuration lists it; the fields are the keys of its table.

    Args:
        function: "path/to/file.py:function", from the folder of the configuration.
        accept: Name of each convention that is accepted → the reason.
        dropout, probes, training_flag: Fields of `parity.Checks`; None leaves them as they are.
        map: The file of a weight map to use as it is, from the folder of the configuration.
        seed: The seed of all draws.
    """

    __pydantic_config__ = EXACT

    function: Words
    accept: dict[str, Words] = field(default_factory=dict)
    dropout: Literal["off", "shared"] | None = None
    probes: bool | None = None
    training_flag: Words | None = None
    map: Words | None = None
    seed: Whole | None = None


def listed(folder: Path) -> dict[str, Listed]:
    """Name → pair, of all that a folder's configuration lists; empty if the folder has none.

    Raises:
        UsageError: The file is no TOML, or a table is not as `Listed` says.
    """
    for name, keys in FILES.items():
        if (table := _table(folder / name, keys)) is not None:
            return _pairs(folder, name, table)
    return {}


def _table(path: Path, keys: Sequence[str]) -> Any:
    """The table of that path in a file; None if there is none."""
    if not path.is_file():
        return None
    try:
        table: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is no TOML: {error}") from None
    for key in keys:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table


def _pairs(folder: Path, file: str, table: Any) -> dict[str, Listed]:
    for key in table if isinstance(table, Mapping) else ():
        if key != TABLE:
            raise unknown_name(f"key of {file}", key, [TABLE])
    pairs = table.get(TABLE) if isinstance(table, Mapping) else None
    if not isinstance(pairs, Mapping) or not pairs:
        raise UsageError(f"{file} lists no pair; give each a table with its function; {REMEDY}")
    return {name: _pair(folder, f"{file}, pair {name}", name, content) for name, content in pairs.items()}


def _pair(folder: Path, place: str, name: str, content: Any) -> Listed:
    if name in recipes.names():
        raise UsageError(f"{place}: a network of the study has this name; call the pair otherwise")
    for key in content if isinstance(content, Mapping) else ():
        if key not in (known := [f.name for f in fields(Listed)]):
            raise unknown_name(f"key in {place}:", key, known)
    plain = json.loads(json.dumps(content, default=str))  # TOML has dates, which JSON has not
    pair = Listed(**documents.require(plain, Listed, place, REMEDY))
    moved = {key: _from(folder, value) for key in ("function", "map") if (value := getattr(pair, key)) is not None}
    return Listed(**{**vars(pair), **moved})


def _from(folder: Path, place: str) -> str:
    """A path of the configuration as it is from where the command runs."""
    return place if folder == Path() else str(folder / place)
