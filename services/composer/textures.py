"""Textures: weather around the music, as long overlapping notes in a loop of its own."""

from typing import Final

from auralis.keys import parse_key
from services.composer.bells import Air, firings
from services.composer.chance import between
from services.composer.draft import Draft, Sound
from services.composer.scale import pitches_of
from services.composer.scene import Scene

_PERIODS_MS: Final = (32_500,)
# With an attack and a release of 14 s each, the power of two notes adds up evenly, within half a decibel.
_OVERLAP_MS: Final = 5100
_LOWEST: Final = 55
_VELOCITY: Final = (500, 700)
_PAN: Final = 20
_LEVEL_PERCENT: Final = (0, 85, 100, 110)  # of the velocity, by the layer's level
# Points of light over the chord, in a loop of their own in which half of the turns are silent.
_LIGHT_MS: Final = (59_400,)
_LIGHT_PERMILLE: Final = 500
_LIGHT_S: Final = (7, 10)
_LIGHT_RANGE: Final = (62, 78)
_LIGHT_VELOCITY: Final = (380, 560)


def weave(draft: Draft, air: Air, scene: Scene) -> None:
    """Write the texture that begins in this beat; the piece begins with one."""
    if not scene.part("texture"):
        return
    # Weather has no pitch of its own: its notes stand on the tonic, whatever chord comes.
    pitch = _LOWEST + (parse_key(air.chord.key).tonic - _LOWEST) % 12
    begins = [(0, -1)] if air.beat == 0 else []
    begins += [
        (f.frame - draft.start, f.turn)
        for f in firings(_PERIODS_MS, scene.chance("texture.phase"), air.origin, draft)
    ]
    for delay, turn in begins:
        pan = scene.chance("texture.pan").spread(_PAN, turn + 1)
        velocity = between(_VELOCITY, scene.level) * _LEVEL_PERCENT[scene.part("texture")] // 100
        draft.play(Sound("texture", delay, draft.ms(_PERIODS_MS[0] + _OVERLAP_MS), pitch, velocity, pan))
    _light(draft, air, scene)


def _light(draft: Draft, air: Air, scene: Scene) -> None:
    chance, tones = scene.chance("texture.light"), air.tones
    for firing in firings(_LIGHT_MS, scene.chance("texture.light.phase"), air.origin, draft):
        pitches = pitches_of(tones, *_LIGHT_RANGE)
        if not pitches or not chance.hits(_LIGHT_PERMILLE, firing.turn, 0):
            continue
        shortest, longest = _LIGHT_S
        length = draft.ms(1000 * (shortest + chance.below(longest - shortest + 1, firing.turn, 1)))
        pitch = pitches[chance.below(len(pitches), firing.turn, 2)]
        delay = firing.frame - draft.start
        length = min(length, max(draft.ms(2000), air.frames_left - delay))
        draft.play(
            Sound("texture", delay, length, pitch, between(_LIGHT_VELOCITY, scene.level), 0, "shimmer")
        )
