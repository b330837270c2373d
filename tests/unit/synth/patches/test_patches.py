"""Every patch of the library: calibrated, clean at its ends, full of movement, even over its register."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from examples import calibrate
from examples.calibrate import Stroke
from examples.patch_page import PAGE, keys_lufs, measured, register_lufs
from services.synth.patches.library import library
from services.synth.patches.schema import Patch
from services.synth.voices.voice import Voice
from tests.gates import measures
from tests.gates.movement import band_levels_db, movement_db
from tests.gates.roughness import roughness

Audio = NDArray[np.float32]

CD: Final = AudioFormat()
PATCHES: Final = library()
NAMES: Final = list(PATCHES)
HELD: Final = [name for name in NAMES if PATCHES[name].family in {"pad", "bass", "lead", "texture"}]
PITCHED: Final = [
    name
    for name in NAMES
    if PATCHES[name].family not in {"texture", "percussion"} and PATCHES[name].fixed_hz is None
]
# Correlation of left and right, by family: bass, and anything from a single place, is near mono when dry.
CORRELATION: Final = {"pad": (0.2, 0.9), "texture": (0.2, 0.9), "bass": (0.8, 1.0)}
_HELD_S: Final = 17.0
PADS: Final = [name for name in NAMES if PATCHES[name].family == "pad"]
# A wide major ninth: as five equal sines it has a roughness of 0.26.
CHORD: Final = (48, 55, 62, 64, 71)
# Least depth of movement within a held note; the same patches without motion, or plain noise, stay below 0.4.
ALIVE_DB: Final = 0.8


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """As in a worker: several threads would wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def note(name: str, semitones: float = 0.0, gate_s: float = 2.0, audio: AudioFormat = CD) -> list[Voice]:
    """The voices of one note, ``semitones`` above the middle of the patch's range."""
    patch = PATCHES[name]
    notes = calibrate.notes_of(name, patch, [Stroke(0.0, semitones, gate_s)], audio)
    return calibrate.voices(patch, notes, audio)


@cache
def phrase(name: str) -> Audio:
    return calibrate.played(name, CD)


def steady(name: str, chunks: int, intensity: float = 0.5) -> Audio:
    """A held note once it has risen, or the beginning of a struck one."""
    start = risen(PATCHES[name]) if name in HELD else 0
    return calibrate.rendered(note(name, gate_s=_HELD_S), range(start, start + chunks), CD, intensity)


def risen(patch: Patch) -> int:
    """The chunk in which a held note has reached its level."""
    return round(15 * patch.envelope.attack_s)


# -- Level


@pytest.mark.parametrize("name", NAMES)
def test_a_phrase_is_calibrated_to_one_loudness(name: str) -> None:
    """At the mean of three seeds: chance moves a single one by up to 2.5 LU."""
    assert measured(name).lufs == pytest.approx(calibrate.TARGET_LUFS, abs=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_a_phrase_has_headroom_and_no_dc(name: str) -> None:
    assert np.abs(phrase(name)).max() < 1.0
    assert measures.dc_dbfs(phrase(name)) < -60


@pytest.mark.parametrize("name", PITCHED)
def test_no_part_of_the_register_is_louder_than_the_rest(name: str) -> None:
    """The loudness of single notes is within 3 LU of their median."""
    loudness = np.array(register_lufs(name, PATCHES[name]))
    assert np.abs(loudness - np.median(loudness)).max() < 3


@pytest.mark.parametrize("name", PITCHED)
def test_no_key_is_louder_than_another(name: str) -> None:
    """From a fourth lower to a major third higher, the loudness of the phrase differs by less than 1.5 LU."""
    loudness = keys_lufs(name, (-5, 0, 4))
    assert max(loudness) - min(loudness) < 1.5


@pytest.mark.parametrize("name", NAMES)
def test_higher_velocity_is_louder(name: str) -> None:
    """At velocity 0 there is silence."""
    patch = PATCHES[name]
    played = calibrate.notes_of(name, patch, [Stroke(0.0, 0.0, 1.0)], CD)[0]
    soft, hard = (
        calibrate.rendered(calibrate.voices(patch, [with_velocity(played, v)], CD), range(6), CD)
        for v in (0.25, 1.0)
    )
    none = calibrate.voices(patch, [with_velocity(played, 0.0)], CD)
    assert np.std(hard) > 1.5 * np.std(soft)
    assert not calibrate.rendered(none, range(6), CD).any()


def with_velocity(played: Any, velocity: float) -> Any:
    return type(played)(**{f: getattr(played, f) for f in played.__struct_fields__} | {"velocity": velocity})


@pytest.mark.parametrize("name", NAMES)
def test_the_page_says_what_is_measured(name: str) -> None:
    """Loudness, centroid and correlation of the phrase at intensity 0.5."""
    row = next(
        line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{name}` | ") and "/" in line
    )
    lufs, centroid, _, correlation = (cell.replace("−", "-").strip() for cell in row.split("|")[5:9])
    heard = measured(name)
    assert heard.lufs == pytest.approx(float(lufs.split("/")[1]), abs=0.1)
    assert heard.centroid_hz == pytest.approx(float(centroid.split("/")[1]), rel=0.01)
    assert heard.correlation == pytest.approx(float(correlation), abs=0.01)


# -- Ends


@cache
def beginning(name: str, rate: int) -> Audio:
    """A note of one second, with a chunk of silence before it and the beginning of its release."""
    audio = AudioFormat(rate)
    return calibrate.rendered(note(name, gate_s=1.0, audio=audio), range(-1, 13), audio)


@pytest.mark.parametrize("rate", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("name", NAMES)
def test_a_note_begins_and_is_released_without_a_click(name: str, rate: int) -> None:
    heard = beginning(name, rate)
    assert np.isfinite(heard).all()
    assert heard.any()
    assert measures.click_frames(heard) == []


@pytest.mark.parametrize("rate", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("name", NAMES)
def test_a_note_fades_until_nothing_is_left_of_it(name: str, rate: int) -> None:
    """Where its voices end, what is left of them is inaudible: 70 dB below its peak."""
    audio = AudioFormat(rate)
    voices = note(name, gate_s=1.0, audio=audio)
    ends = max(voice.timing.silent for voice in voices)
    last = audio.seq_at(ends)
    loudest = np.abs(beginning(name, rate)).max()
    leaving = calibrate.rendered(voices, range(last - 2, last + 2), audio)
    end = ends - audio.start_frame(last - 2)
    assert np.abs(leaving[:, end - rate // 100 :]).max() < 3e-4 * loudest
    assert not leaving[:, -audio.frames_per_chunk :].any()
    assert measures.click_frames(leaving) == []


@pytest.mark.parametrize("rate", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("name", NAMES)
def test_any_pitch_sounds(name: str, rate: int) -> None:
    """Even far outside its register, and nothing overflows."""
    audio = AudioFormat(rate)
    middle = (PATCHES[name].low + PATCHES[name].high) // 2
    for pitch in (0, 127):
        heard = calibrate.rendered(note(name, pitch - middle, audio=audio), range(3), audio, intensity=1.0)
        assert np.isfinite(heard).all()
        assert np.abs(heard).max() < 2.0


# -- Sound


@pytest.mark.parametrize("name", NAMES)
def test_both_ears_hear_it_and_one_loudspeaker_too(name: str) -> None:
    low, high = CORRELATION.get(PATCHES[name].family, (0.2, 1.0))
    assert low < measures.stereo_correlation(phrase(name)) < high
    assert measures.mono_loss_db(phrase(name)) < 3


@pytest.mark.parametrize("name", HELD)
def test_the_bands_of_a_held_note_move(name: str) -> None:
    """The levels of its bands go up and down."""
    assert movement_db(steady(name, 70), 44_100) > ALIVE_DB


@pytest.mark.parametrize("name", [name for name in PITCHED if PATCHES[name].partials])
def test_intensity_makes_it_brighter(name: str) -> None:
    dark, bright = (
        measures.power_centroid_hz(steady(name, 4, intensity), 44_100) for intensity in (0.0, 1.0)
    )
    assert bright > 1.003 * dark


@pytest.mark.parametrize("name", HELD)
def test_a_held_note_fills_several_bands(name: str) -> None:
    """At least six bands of an ERB are within 40 dB of the loudest one."""
    assert len(band_levels_db(steady(name, 10), 44_100)) >= 6


@pytest.mark.parametrize("intensity", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", PADS)
def test_a_chord_is_not_rough(name: str, intensity: float) -> None:
    """The mean roughness of two seeds is at most 0.85, about that of three equal sines a semitone apart."""
    patch = PATCHES[name]
    lift = 12 * max(0, -(-(patch.low - CHORD[0]) // 12)) - (patch.low + patch.high) // 2
    notes = calibrate.notes_of(name, patch, [Stroke(0.0, pitch + lift, 16.0) for pitch in CHORD], CD)
    start = risen(patch)
    found = [
        roughness(calibrate.rendered(voices, range(start, start + 100), CD, intensity), 44_100)
        for voices in (calibrate.voices(patch, notes, CD, seed) for seed in (1, 2))
    ]
    assert np.mean(found) <= 0.85
