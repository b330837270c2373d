"""Quality: how much of the sound is rendered where a machine can't render all of it.

The step in force at a chunk's start is in the score, so what is left out is left out in every replay.
Partials go first, those that are quiet beside their note's loudest; then notes, those that are quiet
themselves.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from auralis.score.events import Automation
from services.synth import automation


class Step(NamedTuple):
    """``value`` as the score has it; what lies under a level in dB is left out.

    ``partial_db`` is against the loudest partial of the note, ``note_db`` against a note of full velocity in
    a layer that the desk leaves as it is.
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
