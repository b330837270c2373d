"""The choir: two distant singers, each of whom now and then holds a chord tone for one long breath."""

from collections.abc import Sequence
from typing import Final

from services.composer.bells import Air
from services.composer.chance import between
from services.composer.draft import Draft, Sound
from services.composer.scale import pitches_of
from services.composer.scene import Scene
from services.composer.state import Held

SINGERS: Final = 2
_RANGES: Final = ((57, 72), (62, 77))
_HOMES: Final = (63, 69)
_PERMILLE: Final = (0, 500, 720, 900)  # of the chords that a singer joins, by the layer's level
_DELAYS_MS: Final = (700, 1700)  # after the start of the chord: the pads lead
_HUMAN_MS: Final = 60
_BREATH_MS: Final = 12_000
_SHORTEST_MS: Final = 3000
_VELOCITY: Final = (360, 520)
_PANS: Final = (-30, 30)
_AWAY: Final = 3  # cost of a semitone away from home, in thirds; one from the last tone costs 3


def sing(draft: Draft, air: Air, held: Sequence[Held], scene: Scene) -> tuple[Held, ...]:
    """Write the tones that begin with the chord of this beat."""
    return tuple(_sung(draft, air, held[singer], singer, scene) for singer in range(SINGERS))


def _sung(draft: Draft, air: Air, held: Held, singer: int, scene: Scene) -> Held:
    part, chance = scene.part("choir"), scene.chance("choir.heard")
    delay = draft.ms(_DELAYS_MS[singer]) % (draft.end - draft.start)
    delay += draft.ms(_HUMAN_MS) * scene.chance(f"choir.onset.{singer}").pink(1000, air.beat) // 1000
    length = min(draft.ms(_BREATH_MS), air.frames_left, air.silent_in) - delay
    if length < draft.ms(_SHORTEST_MS) or not chance.hits(_PERMILLE[part], air.beat, singer):
        return held
    pitch = _pitch(air, held.pitch or _HOMES[singer], singer)
    velocity = between(_VELOCITY, scene.level) + scene.chance("choir.velocity").pink(40, air.beat)
    draft.play(Sound("choir", delay, length, pitch, velocity, _PANS[singer]))
    return Held(pitch, draft.start + delay + length)


def _pitch(air: Air, before: int, singer: int) -> int:
    """The chord tone (not the root) nearest to the singer's last tone, and not far from home."""
    colours = [tone for tone in air.chord.tones if tone != air.chord.root]
    return min(
        pitches_of(colours, *_RANGES[singer]),
        key=lambda pitch: (3 * abs(pitch - before) + _AWAY * abs(pitch - _HOMES[singer]) // 3, pitch),
    )
