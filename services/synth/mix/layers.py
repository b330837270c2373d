"""A chunk's layers, mixed: the voices that sound in it on all grids, with their noise.

Chunks of a batch are rendered together where operations are elementwise, and each by itself where sums are
taken: so nothing that a channel hears depends on what else is in the batch. Each step is taken for all chunks
before the next step: its code and tables are then in the cache. Layers are mixed on their grid, before they
are brought to the full rate: there are fewer outputs than layers.
"""

from collections.abc import Sequence
from typing import TypeAlias

from auralis.audio import AudioFormat
from services.synth.dsp import additive, arrays, grid, steady
from services.synth.dsp.arrays import Array, Device
from services.synth.dsp.upsampling import upsample
from services.synth.mix.arrangement import NOTHING, Arrangement, Arranger
from services.synth.mix.batch import Batch
from services.synth.mix.desk import Mixes
from services.synth.mix.hiss import Hisses
from services.synth.mix.recent import Recent
from services.synth.mix.sounding import Sounding
from services.synth.mix.stack import Stack

# By chunk of a batch, for chunks in which anything sounds: ``[output, sample]`` or ``[output, frame]``.
Heard: TypeAlias = dict[int, Array]


class LayerRenderer:
    """Renders mixed layers on one device; arrangements and stacks are cached, being pure functions."""

    def __init__(self, audio: AudioFormat, device: Device, desk: Mixes) -> None:
        self._audio = audio
        self._device = device
        self._arranger = Arranger(audio, device, desk)
        self._arrangements = Recent[int, Arrangement]()
        self._stacks = Recent[int, Stack]()

    def next_round(self) -> None:
        """Begin a round: drop what no channel has needed lately."""
        self._arrangements.next_round()
        self._stacks.next_round()

    def render(self, soundings: Sequence[Sounding]) -> list[Array | None]:
        """``[output, frame]`` of each chunk; None where nothing sounds."""
        arrangements = [self._arrangement(each) for each in soundings]
        stack = self._stack(soundings, arrangements)
        batch = Batch(soundings, stack, self._audio, self._device)
        noises = Hisses(soundings, stack.hiss, self._audio, self._device).mixed()
        factors, at_rest, found = batch.factors(), self._steady(batch, arrangements), Heard()
        for place, on in enumerate(grid.grids(self._audio)):
            heard = _added(self._lively(factors[place], arrangements, place), at_rest[place])
            hissing = {i: each.on(on) for i, each in noises.items() if each.is_on(on)}
            found = _added(found, {i: upsample(each, on) for i, each in _added(heard, hissing).items()})
        return [found.get(i) for i in range(len(soundings))]

    def _lively(self, factors: Heard, arrangements: Sequence[Arrangement], place: int) -> Heard:
        """Lively partials on one of the grids, for :func:`upsample`."""
        here = {i: rows for i, each in enumerate(arrangements) if (rows := each.lively[place])}
        blocks = grid.grids(self._audio)[place].blocks
        sums = {
            i: additive.sums(left, [(each.first, each.last, each.bases) for each in here[i].groups])
            for i, left in factors.items()
        }
        samples = {i: additive.joined(each, blocks) for i, each in sums.items()}
        return {i: arrays.product(here[i].mixing, each) for i, each in samples.items()}

    def _steady(self, batch: Batch, arrangements: Sequence[Arrangement]) -> list[Heard]:
        """Steady partials by grid, for :func:`upsample`."""
        rows = {i: rows for i, each in enumerate(arrangements) if (rows := each.steady)}
        bins = {i: steady.bins(each, rows[i].mixing, rows[i].spectrum) for i, each in batch.peaks().items()}
        samples = {i: steady.samples(each, rows[i].spectrum.grid) for i, each in bins.items()}
        return [
            {i: each for i, each in samples.items() if rows[i].spectrum.grid is on}
            for on in grid.grids(self._audio)
        ]

    def _arrangement(self, sounding: Sounding) -> Arrangement:
        kept = self._arrangements.get(sounding.seed) or NOTHING
        if not kept.serves(sounding):
            kept = self._arranger.arrange(sounding, kept)
        return self._arrangements.keep(sounding.seed, kept)

    def _stack(self, soundings: Sequence[Sounding], arrangements: Sequence[Arrangement]) -> Stack:
        """The stack of a single chunk is cached; of several chunks one has mostly changed."""
        if len(soundings) != 1:
            return Stack(arrangements, self._audio, self._device)
        seed = soundings[0].seed
        kept = self._stacks.get(seed)
        if kept is None or not kept.of(arrangements):
            kept = Stack(arrangements, self._audio, self._device)
        return self._stacks.keep(seed, kept)


def _added(one: Heard, other: Heard) -> Heard:
    """The sum of both, made in place of ``one``."""
    for i, each in other.items():
        if i in one:
            one[i] += each
        else:
            one[i] = each
    return one
