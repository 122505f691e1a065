"""A check that processes which train together are about the same run."""

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
    arrays = {
        f"{moment}:{name}": array
        for moment, arrays_of_moment in state.moments.items()
        for name, array in arrays_of_moment.items()
    }
    parts = (
        sha256(json.dumps(plan.to_json()).encode()).hexdigest(),
        checkpoint.digest(state.weights | arrays, str(state.step)),
        batches.batch(*plan.position(state.step)).digest(),
    )
    require_alike(session.told_by_all(" ".join(parts)))


def require_alike(texts: Sequence[str]) -> None:
    """Raise UsageError unless all processes give the same digests as the first; it names what differs, and where.

    Args:
        texts: one text for each process, of a digest for each of WHAT, separated by blanks.
    """
    for i, what in enumerate(WHAT):
        digests = [text.split()[i] for text in texts]
        if others := [str(rank) for rank, part in enumerate(digests) if part != digests[0]]:
            raise UsageError(
                f"process {', '.join(others)} of {len(texts)} has other {what} than process 0; give all the same "
                f"command, and the same files where they run"
            )
