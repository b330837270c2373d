"""Layers against float64 sines; they do not depend on the batch or on what was rendered before."""

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth import automation
from services.synth.dsp import grid
from services.synth.dsp.arrays import Array
from services.synth.mix.desk import LAYERS, Flat
from services.synth.mix.layers import LayerRenderer
from services.synth.mix.sounding import Sounding
from services.synth.patches.library import library
from services.synth.patches.schema import Decay, Envelope, Modes, Patch
from tests.device import DEVICE, numpy_of
from tests.unit.synth import oracle
from tests.unit.synth.players import patch_of, voices_of_note

CURVE = np.full(2, 0.5)
SETTLED_SEQ = 5


def organ(lowest_hz: float, highest_hz: float, count: int = 40) -> Patch:
    """Steady partials between two frequencies."""
    ratios = np.sort(np.random.default_rng(2).uniform(lowest_hz, highest_hz, count)) / 400
    modes = Modes(ratios=tuple(ratios.tolist()), levels_db=(0.0,) * count)
    return patch_of(
        partials=modes, fixed_hz=400.0, partial_pan=0.8, envelope=Envelope(attack_s=0.02, release_s=1.0)
    )


def parts_of(audio: AudioFormat) -> list[Sounding]:
    """Chunks of three channels with different voices."""
    casts = (("felt_piano", "warm_pad"), ("church_bell", "brush"), ("kalimba", "drone"))
    parts = []
    for seed, names in enumerate(casts):
        voices = [
            voice
            for number, name in enumerate(names)
            for voice in voices_of_note(
                library()[name], number=number, seed=seed, audio=audio, layer=LAYER[number]
            )
        ]
        bright = automation.brightness(CURVE)
        parts.append(Sounding(seed, audio.start_frame(seed), voices, bright, CURVE))
    return parts


LAYER = ("melody", "pad")


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("which", ["coarse", "middle", "full", "all"])
def test_steady_partials_are_sines_to_90_db(which: str, rate_hz: int) -> None:
    """Once settled, the error against float64 is 90 dB under the signal, on any grid."""
    audio = AudioFormat(rate_hz)
    coarse_hz, middle_hz = grid.COARSE_BELOW * rate_hz, grid.MIDDLE_BELOW * rate_hz
    lowest, highest = {
        "coarse": (30.0, coarse_hz),
        "middle": (coarse_hz, middle_hz),
        "full": (middle_hz, 0.45 * rate_hz),
        "all": (30.0, 15_000.0),
    }[which]
    voice = voices_of_note(organ(lowest, highest), audio=audio, seconds=20)[0]
    found = oracle.rendered([voice], SETTLED_SEQ, 2, audio)
    expected = oracle.partials(voice, audio.start_frame(SETTLED_SEQ), found.shape[1], audio)
    assert 20 * np.log10(np.std(found - expected) / np.std(expected)) < -90


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_a_week_after_the_epoch_a_sine_is_equally_exact(rate_hz: int) -> None:
    """Six million chunks after the channel's epoch the error is as small as at its beginning."""
    audio = AudioFormat(rate_hz)
    seq = 7 * 24 * 36_000
    voice = voices_of_note(organ(30, 8000), audio=audio, at_s=seq / 10, seconds=20)[0]
    found = oracle.rendered([voice], seq + SETTLED_SEQ, 1, audio)
    expected = oracle.partials(voice, audio.start_frame(seq + SETTLED_SEQ), found.shape[1], audio)
    assert 20 * np.log10(np.std(found - expected) / np.std(expected)) < -90


def test_nothing_but_the_partials_is_heard() -> None:
    """A 7 kHz partial leaves nothing else over -90 dB: no images, no aliases."""
    audio = AudioFormat()
    modes = Modes(ratios=(1.0,), levels_db=(0.0,))
    single = patch_of(partials=modes, fixed_hz=7000.0, envelope=Envelope(attack_s=0.02, release_s=1.0))
    voice = voices_of_note(single, audio=audio, seconds=20)[0]
    spectrum = np.abs(np.fft.rfft(oracle.rendered([voice], SETTLED_SEQ, 10, audio)[0]))
    assert 20 * np.log10(np.delete(spectrum, 7000).max() / spectrum[7000]) < -90


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_a_batch_changes_no_bit(rate_hz: int) -> None:
    """Each chunk's outputs are the same bits alone, in any batch and in any order."""
    audio = AudioFormat(rate_hz)
    parts = parts_of(audio)
    alone = [LayerRenderer(audio, DEVICE, Flat()).render([part])[0] for part in parts]
    for order in ([0, 1, 2], [2, 0, 1], [1, 2], [2, 1, 0]):
        together = LayerRenderer(audio, DEVICE, Flat()).render([parts[i] for i in order])
        assert all(same(found, alone[index]) for found, index in zip(together, order, strict=True))


def same(one: Array | None, other: Array | None) -> bool:
    return np.array_equal(numpy_of(one), numpy_of(other))


def test_what_was_rendered_before_changes_no_bit() -> None:
    """A renderer that has rendered a whole note gives the same chunk as a new renderer."""
    audio = AudioFormat()
    voices = voices_of_note(library()["singing_bowl"], audio=audio)
    warm = oracle.rendered(voices, 0, 12, audio)
    cold = oracle.rendered(voices, 11, 1, audio)
    assert np.array_equal(warm[:, -audio.frames_per_chunk :], cold)


def test_a_stack_is_kept_while_no_voice_changes() -> None:
    """And it changes no bit of the next chunk."""
    audio = AudioFormat()
    voices = voices_of_note(library()["warm_pad"], audio=audio, seconds=20)
    parts = [Sounding(1, audio.start_frame(seq), voices, CURVE, CURVE) for seq in (60, 61, 62)]
    renderer = LayerRenderer(audio, DEVICE, Flat())
    found = [renderer.render([part])[0] for part in parts]
    for part, kept in zip(parts, found, strict=True):
        assert same(LayerRenderer(audio, DEVICE, Flat()).render([part])[0], kept)


def test_stacks_are_kept_by_channel_and_forgotten() -> None:
    """Only stacks of chunks that are rendered alone, and for as many rounds as arrangements."""
    audio = AudioFormat()
    parts = parts_of(audio)
    renderer = LayerRenderer(audio, DEVICE, Flat())
    for batch in (parts[:1], parts[1:2], parts):
        renderer.render(batch)
    assert len(renderer._stacks) == 2
    for _ in range(40):
        renderer.next_round()
        renderer.render(parts[:1])
    assert len(renderer._stacks) == 1


def test_without_voices_there_is_nothing() -> None:
    """A chunk without voices has no output, alone or next to a chunk with voices."""
    audio = AudioFormat()
    renderer = LayerRenderer(audio, DEVICE, Flat())
    empty = Sounding(1, 0, [], CURVE, CURVE)
    assert renderer.render([empty]) == [None]
    silent, heard = renderer.render([empty, parts_of(audio)[0]])
    assert silent is None
    assert heard is not None
    assert heard.shape == (2, audio.frames_per_chunk)


def test_layers_add_up() -> None:
    """Two layers together are the sum of each alone, within float32."""
    audio = AudioFormat()
    part = parts_of(audio)[0]
    renderer = LayerRenderer(audio, DEVICE, Flat())

    def heard(layers: tuple[str, ...]) -> NDArray[np.float32]:
        voices = [voice for voice in part.voices if voice.layer in layers]
        return numpy_of(renderer.render([part._replace(voices=voices)])[0])

    both = heard(LAYER)
    assert np.abs(both).max() > 0.01
    assert np.allclose(heard(LAYER[:1]) + heard(LAYER[1:]), both, atol=1e-7)


def test_outputs_are_mixed_with_the_weights_of_the_desk() -> None:
    """Each ear of each layer has the desk's weight in each output, partials and noise alike."""
    audio = AudioFormat()
    part = parts_of(audio)[1]
    weights = {
        "melody": np.array([[2.0, 0.0], [0.0, 1.0]], dtype=np.float32),
        "pad": np.array([[0.0, 1.0], [3.0, 0.0]], dtype=np.float32),
    }

    class Crossed:
        def weights(self, layers: tuple[str, ...]) -> NDArray[np.float32]:
            return np.stack([weights.get(name, np.eye(2)) for name in layers], axis=1).astype(np.float32)

    found = LayerRenderer(audio, DEVICE, Crossed()).render([part])[0]
    expected = np.zeros((2, audio.frames_per_chunk))
    for name in LAYER:
        voices = [voice for voice in part.voices if voice.layer == name]
        alone = LayerRenderer(audio, DEVICE, Flat()).render([part._replace(voices=voices)])[0]
        expected += weights[name] @ numpy_of(alone)
    assert np.allclose(numpy_of(found), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["felt_piano", "warm_pad", "wind"])
def test_a_level_moves_evenly_over_the_chunk(name: str) -> None:
    """Partials on every grid and noise alike, linearly from the gain at the start to the gain at the end."""
    audio = AudioFormat()
    voices = voices_of_note(library()[name], audio=audio, seconds=9, layer="pad")
    start = audio.start_frame(20)
    plain = Sounding(7, start, voices, automation.brightness(CURVE), CURVE)
    gains = np.ones((2, len(LAYERS)))
    gains[:, LAYERS.index("pad")] = 0.25, 0.75
    renderer = LayerRenderer(audio, DEVICE, Flat())
    whole, moved = map(numpy_of, renderer.render([plain, plain._replace(gains=gains)]))
    ramp = np.linspace(0.25, 0.75, audio.frames_per_chunk, endpoint=False)
    assert np.abs(whole).max() > 1e-3
    assert np.allclose(moved, whole * ramp, atol=0.02 * np.abs(whole).max())


def test_a_constant_level_is_a_gain() -> None:
    """Other layers stay as they are."""
    audio = AudioFormat()
    part = parts_of(audio)[0]
    gains = np.ones((2, len(LAYERS)))
    gains[:, LAYERS.index("pad")] = 0.5
    renderer = LayerRenderer(audio, DEVICE, Flat())

    def heard(sounding: Sounding) -> NDArray[np.float32]:
        return numpy_of(renderer.render([sounding])[0])

    pads = part._replace(voices=[voice for voice in part.voices if voice.layer == "pad"])
    difference = heard(part) - heard(part._replace(gains=gains))
    assert np.allclose(difference, heard(pads) / 2, atol=1e-6)


@pytest.mark.parametrize("seconds", [0.55, 2.0])
def test_chunks_join_without_a_step(seconds: float) -> None:
    """At chunk borders the waveform bends no more than inside, in a note's attack, decay and release."""
    audio = AudioFormat()
    decay = Decay(fast_db_s=12, slow_db_s=3, slow_share_db=-12)
    modes = Modes(ratios=(1.0, 2.7, 5.1), levels_db=(0.0, -6.0, -12.0))
    bell = patch_of(partials=modes, decay=decay, envelope=Envelope(attack_s=0.01, release_s=0.5))
    voices = voices_of_note(bell, audio=audio, at_s=0.013, seconds=seconds)
    bends = second_differences(oracle.rendered(voices, 0, 30, audio))
    borders = np.arange(1, 30) * audio.frames_per_chunk
    around = [bends[border - 800 : border + 800] for border in borders]
    at = [bends[border - 3 : border + 2].max() for border in borders]
    assert all(here <= 1.02 * near.max() + 1e-7 for here, near in zip(at, around, strict=True))


def second_differences(audio: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.abs(np.diff(audio, 2)).max(axis=0))
