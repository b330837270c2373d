"""The piece's memory over many minutes: motifs and refrains of past sections, recalled much later."""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from services.composer.form import Form
from services.composer.harmony import ChordName, Progression
from services.composer.melody import Melody
from services.composer.motif import Motif, augmented, inverted, remembered
from services.composer.scene import Scene

_KEPT: Final = 4
_MOTIFS: Final = 3
_RECALL_PERMILLE: Final = 500
# The sections that recall, and how each of them transforms a motif.
_RECALLING: Final[Mapping[str, Callable[[Motif], Motif]]] = {"bloom": inverted, "dusk": augmented}


class Recollection(msgspec.Struct, frozen=True, array_like=True):
    """What a section leaves behind: its latest motifs, and the refrain that it had in ``mode``."""

    mode: str
    motifs: tuple[Motif, ...]
    refrain: tuple[ChordName, ...]


class Memory(msgspec.Struct, frozen=True, array_like=True):
    """The last sections that left something, oldest first."""

    sections: tuple[Recollection, ...] = ()


def kept(memory: Memory, melody: Melody, progression: Progression, mode: str) -> Memory:
    """The memory after a section that ends with this melody and progression."""
    if not melody.motifs:
        return memory
    new = Recollection(mode, melody.motifs[-_MOTIFS:], progression.refrain)
    return Memory((*memory.sections, new)[-_KEPT:])


def recalled(
    memory: Memory, melody: Melody, progression: Progression, mode: str, scene: Scene
) -> tuple[Melody, Progression]:
    """Melody and progression as a section begins, perhaps with an old one's refrain and altered motifs."""
    form, chance = scene.form, scene.chance("memory")
    older = memory.sections[:-1]
    if form.name not in _RECALLING or not older or not chance.hits(_RECALL_PERMILLE, form.number, 0):
        return melody, progression
    old = older[chance.below(len(older), form.number, 1)]
    motifs = melody.motifs
    for motif in old.motifs:
        motifs = remembered(motifs, _RECALLING[form.name](motif))
    refrain = old.refrain if old.mode == mode else ()
    return replace(melody, motifs=motifs), _with_refrain(progression, refrain, form)


def _with_refrain(progression: Progression, refrain: tuple[ChordName, ...], form: Form) -> Progression:
    return replace(progression, refrain=refrain, section=form.number) if refrain else progression
