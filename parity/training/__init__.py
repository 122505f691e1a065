"""Training: one loop over the backends, checkpoints that any of them can go on from, metrics as JSON lines."""

from parity.training.plan import Plan, make_plan
from parity.training.run import Outcome, begin, make_twin, resume

__all__ = ["Outcome", "Plan", "begin", "make_plan", "make_twin", "resume"]
