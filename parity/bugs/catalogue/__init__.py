"""The planted bugs as data: in the study's networks, in other layers, in training, on several devices, and in the
networks of the zoo.

A bug must be caught at its rung, with its layer named and its verdict given. A control is the same function by another
way: every rung must say *same*. Each brought pair in which nothing is planted is a control too.
"""

from parity.bugs.catalogue.bug import Bug
from parity.bugs.catalogue.devices import DEVICES
from parity.bugs.catalogue.layers import LAYERS
from parity.bugs.catalogue.sound import sound
from parity.bugs.catalogue.study import STUDY
from parity.bugs.catalogue.training import TRAINING
from parity.bugs.catalogue.zoo import ZOO
from parity.errors import unknown_name

BUGS: tuple[Bug, ...] = (*STUDY, *LAYERS, *TRAINING, *DEVICES, *ZOO)
SOUND: tuple[Bug, ...] = sound(BUGS)
"""Further controls, which no row of docs/porting-bugs.md is about."""


def chosen(ids: list[str]) -> list[Bug]:
    """The bugs and controls of these names, all if `ids` is empty.

    Raises:
        UsageError: a name is not known.
    """
    by_id = {bug.id: bug for bug in (*BUGS, *SOUND)}
    for name in ids:
        if name not in by_id:
            raise unknown_name("bug", name, by_id)
    return [by_id[name] for name in ids] or list(by_id.values())
