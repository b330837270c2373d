"""Quality: how much of the sound is rendered on a machine that cannot render all of it.

The step in force at a chunk's start is in the score, so every replay leaves out the same. Partials go first,
those that are quiet relative to the loudest one of their note; then quiet notes.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from auralis.score.events import Automation
from services.synth import automation


class Step(NamedTuple):
    """A step: its ``value`` in the score, and the levels below which partials and notes are left out.

    ``partial_db`` is relative to the loudest partial of the note, ``note_db`` relative to a note of full
    velocity in a layer that the desk passes at unity gain.
    """

    value: float
    partial_db: float
    note_db: float


WHOLE: Final = Step(1.0, -math.inf, -math.inf)
STEPS: Final = (
    WHOLE,
    Step(0.75, -48.0, -math.inf),
    Step(0.5, -36.0, -math.inf),
    Step(0.25, -28.0, -18.0),
    Step(0.0, -22.0, -14.0),
)


def step_of(value: float) -> Step:
    """The best step that ``value`` allows."""
    return next(step for step in STEPS if step.value <= value)


def steps_at(ramps: Sequence[Automation], frames: Sequence[int]) -> list[Step]:
    """The steps in force at ``frames``, from the score's ramps of quality."""
    if not ramps:
        return [WHOLE] * len(frames)
    return [step_of(value) for value in automation.curve(ramps, frames, WHOLE.value)]
