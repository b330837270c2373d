"""Textures: weather around the music, one long note into the next, in a loop of its own."""

from typing import Final

from auralis.keys import parse_key
from services.composer.bells import Air, firings
from services.composer.chance import between
from services.composer.draft import Draft, Sound
from services.composer.form import Scene

_PERIODS_MS: Final = (29_300,)
# Each note lasts until the next one has risen.
_OVERLAP_MS: Final = 6000
_LOWEST: Final = 55
_VELOCITY: Final = (500, 700)
_PAN: Final = 20


def weave(draft: Draft, air: Air, scene: Scene) -> None:
    """Write the texture that begins in this beat; the piece begins with one."""
    # Weather has no pitch, but what glitters in it is in the key, whatever chord comes.
    pitch = _LOWEST + (parse_key(air.chord.key).tonic - _LOWEST) % 12
    begins = [(0, -1)] if air.beat == 0 else []
    begins += [
        (f.frame - draft.start, f.turn)
        for f in firings(_PERIODS_MS, scene.chance("texture.phase"), air.origin, draft)
    ]
    for delay, turn in begins:
        pan = scene.chance("texture.pan").spread(_PAN, turn + 1)
        velocity = between(_VELOCITY, scene.level)
        draft.play(Sound("texture", delay, draft.ms(_PERIODS_MS[0] + _OVERLAP_MS), pitch, velocity, pan))
