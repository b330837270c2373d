"""Percussion: from nothing at intensity 0 to a slow pulse at 1.

A drum is struck where a hash of its position lies below a share that rises with intensity: what sounds at
one intensity sounds at every higher one. Patterns are Euclidean (Toussaint 2005); patterns of 14 or 12 steps
drift against the bar of 16.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from services.composer.chance import between
from services.composer.draft import Draft, Sound
from services.composer.scene import Scene
from services.composer.tempo import BEATS_A_BAR

_STEPS_A_BEAT: Final = 4
_STEPS_A_BAR: Final = _STEPS_A_BEAT * BEATS_A_BAR
_CALM_MBPM: Final = 70_000  # above this tempo the hits per minute stay the same
_PATTERNS: Final = 85_000, 60_000  # tempi (mbpm) from which the faster and the middle patterns play
_SHARE_PERCENT: Final = (35, 80, 100, 110)  # by the layer's level in its section
_SWUNG_PERMILLE: Final = 120  # of a step, at full intensity: each eighth is split at 56 %
_DELAY_MS: Final = 45  # as late as the pads
_HUMAN_MS: Final = 3
_GATE_MS: Final = 220
_PHRASE_BARS: Final = 8
_SWELL: Final = 47  # thousandths of velocity to either side, over a phrase
_DRIFT: Final = 31
_FILL_BARS: Final = 12
_FILL_PERMILLE: Final = 150
_REST_MS: Final = 32_000
_CYMBAL_MS: Final = 3200  # from its onset to its peak
_CYMBAL_PERMILLE: Final = (0, 40, 120, 200, 260)
_CYMBAL: Final = (240, 420)


class Drum(NamedTuple):
    """A drum: struck from intensity ``low`` on, with a probability that reaches ``permille`` at ``high``.

    ``velocity`` is its range of velocities in thousandths.
    """

    pitch: int
    low: int
    high: int
    permille: int
    velocity: tuple[int, int]
    pan: int


_KIT: Final[Mapping[str, Drum]] = {
    "brush": Drum(38, 80, 500, 500, (200, 350), 22),
    "rim": Drum(76, 250, 700, 450, (240, 390), -38),
    "soft_kick": Drum(36, 400, 950, 900, (320, 470), 0),
    "shaker": Drum(70, 500, 1000, 500, (140, 300), 40),
    "low_tom": Drum(43, 650, 1000, 600, (350, 470), -12),
}
# (hits, steps, rotation) of each drum: below 60 BPM, from 60, from 85.
_PLACES: Final[Mapping[str, tuple[tuple[int, int, int], ...]]] = {
    "brush": ((3, 14, 0), (3, 16, 0), (2, 12, 0)),
    "soft_kick": ((2, 16, 0), (2, 16, 0), (1, 16, 0)),
    "shaker": ((4, 16, 2), (4, 16, 2), (4, 16, 2)),
    "low_tom": ((1, 32, 12), (1, 32, 12), (1, 32, 12)),
}
_RIM_PLACES: Final = 5  # onsets of E(5, 16), of which the rim takes one per bar


def drum(draft: Draft, beat: int, frames_left: int, scene: Scene) -> None:
    """Write the strokes of this beat; ``frames_left`` frames of the chord remain."""
    share = _SHARE_PERCENT[scene.level_of("percussion")] if scene.part("percussion") else 0
    share = share * _CALM_MBPM // max(_CALM_MBPM, draft.tempo.mbpm())
    if not share or _rests(draft, beat, scene):
        return
    for step in range(beat * _STEPS_A_BEAT, (beat + 1) * _STEPS_A_BEAT):
        for name in _KIT:
            if _struck(name, step, share, draft.tempo.goal_mbpm, scene):
                _strike(draft, name, step, _velocity(name, step, scene), scene)
    _fill(draft, beat, share, scene)
    _cymbal(draft, beat, frames_left, scene)


def euclid(hits: int, steps: int, step: int) -> bool:
    """Whether ``step`` is one of ``hits`` spread over ``steps`` as evenly as possible, the first on 0."""
    return step * hits % steps < hits


def _struck(name: str, step: int, share: int, mbpm: int, scene: Scene) -> bool:
    drum_ = _KIT[name]
    opened = min(1000, max(0, (scene.level - drum_.low) * 1000 // (drum_.high - drum_.low)))
    permille = drum_.permille * opened * share // 100_000
    chance = scene.chance("percussion." + name)
    return bool(permille) and _placed(name, step, mbpm, scene) and chance.hits(permille, step)


def _placed(name: str, step: int, mbpm: int, scene: Scene) -> bool:
    if name == "rim":
        place = scene.chance("percussion.place").below(_RIM_PLACES, step // _STEPS_A_BAR)
        return step % _STEPS_A_BAR == -(-place * _STEPS_A_BAR // _RIM_PLACES)
    fast, slow = _PATTERNS
    hits, steps, rotated = _PLACES[name][(mbpm >= slow) + (mbpm >= fast)]
    return euclid(hits, steps, (step - rotated) % steps)


def _velocity(name: str, step: int, scene: Scene) -> int:
    low, high = _KIT[name].velocity
    chance = scene.chance("percussion.velocity." + name)
    bar, half = step // _STEPS_A_BAR % _PHRASE_BARS, _PHRASE_BARS // 2
    swell = _SWELL * (2 * min(bar, _PHRASE_BARS - bar) - half) // half
    return low + chance.below(high - low + 1, step) + swell + chance.pink(_DRIFT, step)


def _strike(draft: Draft, name: str, step: int, velocity: int, scene: Scene) -> None:
    inside = step % _STEPS_A_BEAT
    delay = draft.ticks(inside) + draft.ms(_DELAY_MS)
    if inside % 2 and scene.level > 500:
        delay += (draft.ticks(1)) * _SWUNG_PERMILLE * (scene.level - 500) // 500_000
    delay += draft.ms(_HUMAN_MS) * scene.chance("percussion.onset").spread(1000, step) // 1000
    drum_ = _KIT[name]
    draft.play(
        Sound("percussion", delay, draft.ms(_GATE_MS), drum_.pitch, max(80, velocity), drum_.pan, name)
    )


def _bar_ms(draft: Draft) -> int:
    return BEATS_A_BAR * 60_000_000 // draft.tempo.goal_mbpm


def _rests(draft: Draft, beat: int, scene: Scene) -> bool:
    """Whether the beat lies in the one or two bars of silence in every half minute."""
    bars = max(4, _REST_MS // _bar_ms(draft))
    group, bar = divmod(beat // BEATS_A_BAR, bars)
    return bar >= bars - 1 - scene.chance("percussion.rest").below(2, group)


def _fill(draft: Draft, beat: int, share: int, scene: Scene) -> None:
    """Write a fill at the end of some bars: three or four brush strokes that fade."""
    bar, inside = divmod(beat, BEATS_A_BAR)
    chance, group = scene.chance("percussion.fill"), bar // _FILL_BARS
    if inside != BEATS_A_BAR - 1 or bar % _FILL_BARS != chance.below(_FILL_BARS, group, 1):
        return
    if chance.hits(_FILL_PERMILLE * scene.level * share // 100_000, group, 0):
        strokes = min(_STEPS_A_BEAT, 3 + chance.below(3, group, 2))
        for stroke in range(strokes):
            _strike(draft, "brush", beat * _STEPS_A_BEAT + stroke, 300 - 50 * stroke, scene)


def _cymbal(draft: Draft, beat: int, frames_left: int, scene: Scene) -> None:
    """Write a cymbal that rises into some chord changes."""
    until = frames_left - draft.ms(_CYMBAL_MS)
    if not 0 <= until < draft.end - draft.start:
        return
    chance = scene.chance("percussion.cymbal")
    if chance.hits(between(_CYMBAL_PERMILLE, scene.level), beat // BEATS_A_BAR):
        velocity = between(_CYMBAL, scene.level)
        draft.play(Sound("percussion", until, draft.ms(_CYMBAL_MS), 49, velocity, -8, "swell"))
