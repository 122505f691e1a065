"""Processes that train together must be about the same run."""

import json
from collections.abc import Sequence
from hashlib import sha256

from parity.backends import Session
from parity.data import Stream
from parity.errors import UsageError
from parity.training import checkpoint
from parity.training.plan import Plan

WHAT = ("plan", "weights, moments or step", "data")


def require_agreement(plan: Plan, session: Session, batches: Stream) -> None:
    """Raise UsageError unless all processes have the same plan, state and next batch."""
    if session.network.devices.count == 1:
        return
    state = session.state()
    arrays = {f"{moment}:{name}": array for moment, own in state.moments.items() for name, array in own.items()}
    parts = (
        sha256(json.dumps(plan.to_json()).encode()).hexdigest(),
        checkpoint.digest(state.weights | arrays, str(state.step)),
        batches.batch(*plan.position(state.step)).digest(),
    )
    require_alike(session.told_by_all(" ".join(parts)))


def require_alike(told: Sequence[str]) -> None:
    """Raise UsageError unless all say the same as the first; it names what differs, and where."""
    for i, what in enumerate(WHAT):
        own = [text.split()[i] for text in told]
        if others := [str(rank) for rank, part in enumerate(own) if part != own[0]]:
            raise UsageError(
                f"process {', '.join(others)} of {len(told)} has other {what} than process 0; give all the same "
                f"command, and the same files where they run"
            )
