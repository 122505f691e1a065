"""What a schedule of optax's was made with, by the names that its user wrote, and the cause that is one of these."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import CellType, FunctionType
from typing import Any

from numpy.typing import NDArray

from parity.checks.referee import closes
from parity.interface.programs.undone import Spot, Undone, source
from parity.pair.causes.search.piece import distance
from parity.pair.causes.search.written import text_of
from parity.report.records import Explanation

MOST = 240
"""Changes of a schedule that are tried."""
SKIPPED = frozenset({"last_epoch", "_step_count", "_last_lr", "verbose"})
"""Attributes of a scheduler of PyTorch's that are no setting."""


@dataclass(frozen=True)
class Variable:
    """A number that a schedule was made with.

    Args:
        function: The function that was called to make it, such as "cosine_decay_schedule".
        name: What it is called there.
        value: The number.
        path: The name of a variable of the schedule, then the place in what that holds, and so on.
    """

    function: str
    name: str
    value: float
    path: tuple[Any, ...]

    @property
    def is_inside(self) -> bool:
        """Whether it is one of several numbers of that name."""
        return bool(self.path[-1] != self.name)


Change = Sequence[tuple[Variable, float]]
"""Variables, each with the number that it is to be."""


def setting_cause(
    schedule: Any, scheduler: Any, rates: Callable[[Any], NDArray], wanted: NDArray
) -> Explanation | None:
    """The settings of optax's schedule that are otherwise, if its rates are PyTorch's once they are changed.

    Args:
        schedule: Optax's schedule.
        scheduler: PyTorch's.
        rates: Computes the rates of a schedule of optax's.
        wanted: PyTorch's rates.
    """
    variables, names = list(variables_of(schedule)), numbers_of(scheduler)
    before = distance(rates(schedule), wanted)
    for change in islice(_changes(variables, names), MOST):
        try:
            after = distance(rates(_changed(schedule, change)), wanted)
        except Exception:  # a schedule may refuse a number
            continue
        if closes(before, after):
            return _explanation(change, variables, names, (before, after), len(wanted))
    return None


def variables_of(schedule: Any, path: tuple[Any, ...] = (), function: str = "") -> Iterator[Variable]:
    """The numbers that a schedule was made with, those of schedules inside it too."""
    for name, value in _closure(schedule).items():
        where = getattr(schedule, "__qualname__", "").partition(".<locals>")[0] or function
        yield from _inside(value, (*path, name), where, name)


def _inside(value: Any, path: tuple[Any, ...], function: str, name: str) -> Iterator[Variable]:
    if isinstance(value, FunctionType):
        yield from variables_of(value, path, function)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        is_whole = value > 1 and float(value).is_integer()  # optax turns its counts into floating numbers
        yield Variable(function, name, int(value) if is_whole else value, path)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _inside(item, (*path, place), function, name)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, int):
                yield Variable(function, name, key, (*path, _Key(key)))
            yield from _inside(item, (*path, key), function, name)


@dataclass(frozen=True)
class _Key:
    """A key of a mapping, which is itself the number."""

    key: int


def _closure(function: Any) -> dict[str, Any]:
    """The variables of the function that made this one, by name."""
    if not isinstance(function, FunctionType):
        return {}
    held: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            held[name] = cell.cell_contents
        except ValueError:  # a variable that was never set
            continue
    return held


def _changed(schedule: Any, change: Change) -> Any:
    """The schedule with other numbers."""
    for variable, value in change:
        schedule = _put(schedule, variable.path, value)
    return schedule


def _put(holder: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    first, *rest = path
    if isinstance(holder, FunctionType):
        held = {**_closure(holder)}
        held[first] = _put(held[first], tuple(rest), value)
        cells = tuple(CellType(held[name]) if name in held else CellType() for name in holder.__code__.co_freevars)
        changed = FunctionType(holder.__code__, holder.__globals__, holder.__name__, holder.__defaults__, cells)
        changed.__kwdefaults__ = holder.__kwdefaults__
        changed.__qualname__ = holder.__qualname__
        return changed
    if isinstance(first, _Key):
        return {value if key == first.key else key: item for key, item in holder.items()}
    if isinstance(holder, Mapping):
        return {**holder, first: _put(holder[first], tuple(rest), value)}
    items = list(holder)
    items[first] = _put(items[first], tuple(rest), value)
    return type(holder)(items)


def numbers_of(scheduler: Any) -> dict[float, str]:
    """The numbers that a scheduler of PyTorch's was made with → their names there."""
    numbers: dict[float, str] = {}
    for name, value in vars(scheduler).items():
        if name in SKIPPED or isinstance(value, bool):
            continue
        items = list(value) if isinstance(value, list | tuple | Mapping) else [value]
        for item in items:
            if isinstance(item, int | float) and not isinstance(item, bool):
                numbers.setdefault(item, name.lstrip("_"))
            elif hasattr(item, "base_lrs"):
                numbers |= {number: its for number, its in numbers_of(item).items() if number not in numbers}
            elif isinstance(item, FunctionType):
                consts = [n for n in item.__code__.co_consts if isinstance(n, int | float) and not isinstance(n, bool)]
                for number in (*consts, *(variable.value for variable in variables_of(item))):
                    numbers.setdefault(number, "own function")
    return numbers


def _changes(variables: Sequence[Variable], names: Mapping[float, str]) -> Iterator[Change]:
    """One number changed to one of PyTorch's; all that are equal, and what they are taken off from; one to others."""
    numbers = list(dict.fromkeys((*names, *(variable.value for variable in variables))))
    singles = [(v, wanted) for v in variables for wanted in _wanted(v.value, numbers)]
    yield from ([single] for single in singles if single[1] in names)
    whole = [variable for variable in variables if isinstance(variable.value, int)]
    for value in dict.fromkeys(v.value for v in whole):
        equal = [v for v in whole if v.value == value]
        for wanted in (n for n in names if isinstance(n, int) and n not in (0, value)):
            together = [(v, wanted) for v in equal]
            yield from ([*together, (v, v.value + value - wanted)] for v in whole if v.value != value)
            if len(equal) > 1:
                yield together
    yield from ([single] for single in singles if single[1] not in names)


def _wanted(value: float, numbers: Sequence[float]) -> Iterator[float]:
    """What a number may be instead."""
    if isinstance(value, int):
        near = (value + 1, value - 1, 2 * value, 0)
        whole = [n for n in numbers if isinstance(n, int)]
        every: Sequence[float] = [*whole, *near, *(value + n for n in whole), *(value - n for n in whole)]
        yield from (n for n in dict.fromkeys(every) if n != value and n >= 0)
        return
    products = (a * b for a in numbers for b in numbers if isinstance(a, float) and isinstance(b, float))
    yield from (n for n in dict.fromkeys((*map(float, numbers), *products, 0.0, 1.0)) if n != value)


def _explanation(
    change: Change, variables: Sequence[Variable], names: Mapping[float, str], gaps: tuple[float, float], steps: int
) -> Explanation:
    has = " and ".join(f"{_name(v, variables)} {'has' if v.is_inside else 'is'} {text_of(v.value)}" for v, _ in change)
    wanted = " and ".join(dict.fromkeys(text_of(new) + _named(new, names) for _, new in change))
    undone = tuple(
        Undone("flax", "setting", Spot(v.function, ""), v.name, source(v.value), source(new)) for v, new in change
    )
    return Explanation(
        f"optax's {has}; with {wanted} its rates are PyTorch's",
        f"write {', '.join(_mend(v, new) for v, new in change)} in optax",
        f"undone in Flax, the gap falls from {gaps[0]:.2g} to {gaps[1]:.2g} over {steps} steps",
        undone,
    )


def _mend(variable: Variable, value: float) -> str:
    if variable.is_inside:
        return f"{text_of(value)} for {text_of(variable.value)} in {variable.name}"
    return f"{variable.name}={text_of(value)}"


def _name(variable: Variable, variables: Sequence[Variable]) -> str:
    """The name, and the function where several have one of that name."""
    functions = {other.function for other in variables if other.name == variable.name}
    return variable.name if len(functions) < 2 else f"{variable.name} ({variable.function})"


def _named(value: float, names: Mapping[float, str]) -> str:
    return f" (PyTorch's {names[value]})" if value in names and value not in (0, 1) else ""
