"""The patches that may mend the proven cause of a report, the likeliest first."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from parity.interface.programs.undone import Undone
from parity.repairs.rules import changes, declared, rewritten, settings, training, values
from parity.repairs.rules.candidate import Candidate, Context
from parity.repairs.rules.frozen import frozen
from parity.repairs.rules.literals import literals
from parity.repairs.rules.returned import returned
from parity.repairs.source.files import MARK, TextEdit, edited

Rule = Callable[[Context, Undone], Iterator[Candidate]]
SAME_SIDE: Mapping[str, tuple[Rule, ...]] = {
    "setting": (values.stopped, settings.setting),
    "left out": (values.left_out, values.without_bias, values.without_reversal),
    "run again": (values.run_again,),
    "another value": (values.another_value,),
    "returned": (returned,),
    "change": (rewritten.rewritten, changes.change, literals),
}
"""What was undone → the rules that do it in the source of that side."""
OTHER_SIDE: Mapping[str, tuple[Rule, ...]] = {
    "setting": (values.stopped_elsewhere, settings.setting_elsewhere),
    "left out": (values.added_elsewhere,),
    "change": (changes.elsewhere,),
}
"""What was undone → the rules that do the reverse in the source of the other side."""


def candidates(context: Context, side: str | None) -> Iterator[Candidate]:
    """Patches, each once, the likeliest first.

    Args:
        context: the pair's files, and the report with the proven cause.
        side: the side whose source may be edited; None for the side that the mend names, and the other after it.
    """
    seen: set[frozenset[TextEdit]] = set()
    texts = {path: file.text for path, file in context.project.files.items()}
    for candidate in _all(context):
        key = frozenset(candidate.edits)
        if key and key not in seen and (side is None or candidate.side == side) and _changes(candidate, texts):
            seen.add(key)
            yield candidate


def _changes(candidate: Candidate, texts: Mapping[Path, str]) -> bool:
    """Whether a patch can be made, leaves Python, and changes anything."""
    for path in {edit.path for edit in candidate.edits}:
        try:
            new = edited(texts[path], [edit for edit in candidate.edits if edit.path == path])
            compile(new.removeprefix(MARK), str(path), "exec")
        except (SyntaxError, ValueError):
            return False
        if new == texts[path]:
            return False
    return True


def _all(context: Context) -> Iterator[Candidate]:
    difference = context.difference
    named = _named(difference.mend)
    for side in (named, "torch" if named == "flax" else "flax"):
        yield from declared.declared(context, side)
        yield from declared.without_casts(context, side)
    if difference.rung == "structure":
        for side in (named, "torch" if named == "flax" else "flax"):
            yield from declared.missing_arrays(context, side)
            yield from frozen(context, side)
    undone = tuple(difference.undone)
    if difference.rung == "update":
        yield from _of_training(context, undone)
        return
    if any(undoing.spot.operation == "dropout" and not undoing.spot.place for undoing in undone):
        yield from training.dropout(context, undone[0])
        return
    if all(undoing.spot.operation.startswith("the gradient") for undoing in undone):
        yield from _together(context, undone, OTHER_SIDE)  # who stops a gradient means to
    yield from _together(context, undone, SAME_SIDE)
    yield from _together(context, undone, OTHER_SIDE)
    for side in ("flax", "torch"):
        yield from declared.scaled_loss(context, side)


def _named(mend: str) -> str:
    """The side that a mend names first."""
    flax, torch = (mend.find(name) for name in ("Flax", "PyTorch"))
    return "torch" if torch >= 0 and (flax < 0 or torch < flax) else "flax"


def _of_training(context: Context, undone: tuple[Undone, ...]) -> Iterator[Candidate]:
    if undone and undone[0].side == "torch":
        yield from training.optimizer(context, undone[0])
        yield from training.optax_setting(context, undone[0])
    else:
        yield from training.schedule(context, undone)


def _together(
    context: Context, undone: tuple[Undone, ...], rules: Mapping[str, tuple[Rule, ...]]
) -> Iterator[Candidate]:
    """Patches that do all that was undone: of several, the likeliest edit of each, then each by itself."""
    each = [[c for rule in rules.get(u.kind, ()) for c in rule(context, u)] for u in undone]
    if len(each) > 1 and all(each):
        for place in range(max(map(len, each))):
            chosen = [patches[min(place, len(patches) - 1)] for patches in each]
            edits = tuple(dict.fromkeys(edit for candidate in chosen for edit in candidate.edits))
            words = "; ".join(dict.fromkeys(candidate.words for candidate in chosen))
            yield Candidate(chosen[0].side, edits, words, any(candidate.releases for candidate in chosen))
    for patches in each:
        yield from patches
