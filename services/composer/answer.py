"""The answer: another voice that takes up what the melody just said, lower, softer, a beat or two later."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from services.composer.chance import between
from services.composer.melody import Melody
from services.composer.motif import Motif, ending, fragment, inverted
from services.composer.phrase import Phrase, PlannedNote, Singer, Stretch, fitted
from services.composer.scene import Scene
from services.composer.tempo import TICKS_A_BEAT

_HEARD_PERMILLE: Final = (150, 500)  # of the phrases, by intensity
_LEVEL_PERCENT: Final = (0, 100, 140, 170)  # more of them where the layer leads
_WAYS: Final[Mapping[Callable[[Motif], Motif], int]] = {ending: 4, fragment: 4, inverted: 2}
# Centred six to eight semitones below the melody, 4 dB softer.
_SINGER: Final = Singer("answer", 55, 74, (63, 64, 65, 66, 67), (270, 385))


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """The notes still to be played; the melody's first ``heard`` phrases need no answer any more."""

    phrase: tuple[PlannedNote, ...] = ()
    heard: int = 0


def answered(answer: Answer, melody: Melody, stretch: Stretch, scene: Scene) -> Answer:
    """The answer at the beat of ``stretch``: perhaps with a new phrase, once the melody's has ended."""
    if answer.phrase or melody.phrase or melody.index == answer.heard or melody.shape is None:
        return answer
    chance = scene.chance("answer")
    wait = TICKS_A_BEAT * (1 + chance.below(2, melody.index, 0))
    if stretch.tick < melody.silent_since + wait:
        return answer
    share = between(_HEARD_PERMILLE, scene.level) * _LEVEL_PERCENT[scene.part("answer")] // 100
    if not chance.hits(share, melody.index, 1) or stretch.longest < 2 * TICKS_A_BEAT:
        return Answer((), melody.index)
    way = list(_WAYS)[chance.pick(list(_WAYS.values()), melody.index, 2)]
    shape = fitted(way(melody.shape), stretch)
    notes, _, _ = Phrase(melody.index, shape, stretch, scene, None, _SINGER).sung()
    return Answer(notes, melody.index)


def silenced(answer: Answer) -> Answer:
    """The answer without its phrase, since the harmony under it will not come."""
    return Answer((), answer.heard) if answer.phrase else answer
