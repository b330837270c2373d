"""The sustained voices: a drone in the bass and four pad voices, which never all fall silent.

Each voice breathes (begins a new note) independently, so that the sound swells without a seam; a tone that
the next chord shares is held over the change. When a voice needs a new note depends on the frame at which its
gate closes, not on a beat, so a change of tempo opens no gap.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from services.composer.chance import between
from services.composer.draft import Draft, Sound
from services.composer.gestures import Gestures
from services.composer.scene import Scene
from services.composer.state import SILENT, Held
from services.composer.swell import swelled
from services.composer.tempo import BEATS_A_BAR, TICKS_A_BEAT

_BREATH_MS: Final = (9000, 5500)
_SHORTEST_BREATH_BEATS: Final = 2
_OVERLAP_MS: Final = 400
_MARGIN_MS: Final = (
    200  # more than the latest onset, so that the old note still sounds when the new one begins
)
_DELAY_MS: Final = 45
_ROLL_MS: Final = 16
_HUMAN_MS: Final = 25
_TOP_VOICE_FROM: Final = 150  # intensity; below it the chord is thinner
_PANS: Final = (0, -35, 30, -20, 40)
_BASS_VELOCITY: Final = (560, 720)
_PAD_VELOCITY: Final = (480, 760)
_LEVEL_PERCENT: Final = (0, 86, 100, 106)  # of the velocity, by the layer's level
# No pad begins in a breath, nor so shortly before one that its attack would be cut off.
_BEFORE_BREATH_MS: Final = 2500


class Support(NamedTuple):
    """The pitches of the chord and of the next one, from the bass up, and the beats left until the next.

    ``gestures`` says when the pads are thin or silent.
    """

    pitches: Sequence[int]
    following: Sequence[int]
    beats_left: int
    beat: int
    begins: bool
    gestures: Gestures

    @property
    def lasting(self) -> int:
        """The highest voice of the pad whose tone the next chord shares; else the middle one."""
        shared = [n for n in range(1, len(self.pitches)) if self.pitches[n] == self.following[n]]
        return max(shared, default=2)


def sustained(draft: Draft, held: Sequence[Held], support: Support, scene: Scene) -> tuple[Held, ...]:
    """Write the notes that begin in this beat; returns what each voice holds after it."""
    return tuple(_voice(draft, held[voice], voice, support, scene) for voice in range(len(held)))


def _voice(draft: Draft, held: Held, voice: int, support: Support, scene: Scene) -> Held:
    if voice == len(support.pitches) - 1 and scene.level < _TOP_VOICE_FROM:
        return SILENT
    if voice and _rests(draft, voice, support):
        return held
    pitch = support.pitches[voice]
    lasts = held.until_frame >= draft.end + draft.ms(_MARGIN_MS)
    if held.pitch == pitch and lasts:
        return held
    end = draft.ticks(_beats(draft, voice, support, scene) * TICKS_A_BEAT) + draft.ms(_OVERLAP_MS)
    breath = draft.until(support.gestures.breath[0])
    if voice and breath > 0:
        end = min(end, breath)
    delay = _delay(draft, voice, support, scene)
    sound = Sound(
        "pad" if voice else "drone",
        delay,
        end - delay,
        pitch,
        _velocity(draft, voice, support, scene),
        _PANS[voice],
    )
    draft.play(sound)
    return Held(pitch, draft.start + end)


def _rests(draft: Draft, voice: int, support: Support) -> bool:
    """Whether a pad voice begins no note: in a breath, or where the pad is thinned out."""
    (thins, thick), (breath, over) = support.gestures.thinning, support.gestures.breath
    if draft.until(breath) < draft.ms(_BEFORE_BREATH_MS) and draft.until(over) > 0:
        return True
    return draft.until(thins) <= 0 < draft.until(thick) and voice != support.lasting


def _velocity(draft: Draft, voice: int, support: Support, scene: Scene) -> int:
    velocity = between(_PAD_VELOCITY if voice else _BASS_VELOCITY, scene.level)
    velocity += scene.chance(f"sustain.velocity.{voice}").pink(40, support.beat)
    percent = _LEVEL_PERCENT[scene.part("pad" if voice else "drone")]
    return swelled(velocity, draft, scene) * percent // 100


def _beats(draft: Draft, voice: int, support: Support, scene: Scene) -> int:
    """The length of the breath in beats: the voices of a chord begin together and then drift apart."""
    breath = between(_BREATH_MS, scene.level) * draft.tempo.mbpm() // 60_000_000
    if support.begins:
        breath -= voice * breath // 8
    breath = max(_SHORTEST_BREATH_BEATS, breath)
    if support.pitches[voice] == support.following[voice]:
        return min(breath, support.beats_left + BEATS_A_BAR)
    nearly = support.beats_left - breath < _SHORTEST_BREATH_BEATS
    return support.beats_left if nearly else breath


def _delay(draft: Draft, voice: int, support: Support, scene: Scene) -> int:
    drift = scene.chance(f"sustain.onset.{voice}").pink(1000, support.beat)
    return draft.ms(_DELAY_MS + _ROLL_MS * voice) + draft.ms(_HUMAN_MS) * drift // 1000
