"""Voices: random by seed and note alone, silent when they claim to be, accurate where interpolated."""

from dataclasses import replace
from statistics import median

import numpy as np
import pytest

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from services.synth.patches.library import library
from services.synth.patches.schema import Grains, Patch
from services.synth.voices.build import parts_of
from services.synth.voices.voice import Rows, Voice
from tests.unit.synth import oracle
from tests.unit.synth.players import CD, note_of, patch_of, voices_of_note

NAMES = sorted(library())
RATE_HZ = CD.sample_rate_hz
STRUCK = [name for name in NAMES if library()[name].family in {"keys", "bells", "percussion"}]
MODAL = ["felt_piano", "kalimba", "vibraphone", "church_bell", "singing_bowl", "soft_kick", "low_tom"]
STEADY = ["warm_pad", "glass_pad", "drone", "sub"]
BENDING = ["choir", "flute"]


def bits(voices: list[Voice]) -> bytes:
    """All tables of the voices, as bytes."""
    tables = [getattr(voice.rows, name) for voice in voices for name in Rows.__slots__]
    return b"".join(table.tobytes() for table in [*tables, *(voice.hiss for voice in voices)])


def tones(patch: Patch, audio: AudioFormat = CD, **note: float) -> Voice | None:
    """The voice of the note's own partials, without noise; None if it has no partials."""
    voice = voices_of_note(patch, audio=audio, **note)[0]
    return replace(voice, hiss=voice.hiss[:0], _stages={}, _placed={}) if len(voice.rows) else None


@pytest.mark.parametrize("name", NAMES)
def test_a_voice_depends_on_its_seed_and_note(name: str) -> None:
    """The same seed and note give the same bits; another seed or note gives different ones."""
    patch = library()[name]
    one = bits(voices_of_note(patch, seed=7, number=3))
    assert one == bits(voices_of_note(patch, seed=7, number=3))
    assert one != bits(voices_of_note(patch, seed=8, number=3))
    assert one != bits(voices_of_note(patch, seed=7, number=4))


def test_neighbours_share_no_chance() -> None:
    """Notes of a chord have consecutive ids; no two of them draw the same random phases."""
    pad = library()["warm_pad"]
    phases = [
        set(voice.rows.phase_turns) for number in range(20) for voice in voices_of_note(pad, number=number)
    ]
    assert sum(map(len, phases)) == len(set().union(*phases)) > 1000


def test_neighbouring_seconds_share_no_chance() -> None:
    """No two seconds of grains draw the same random phases."""
    phases = [set(voice.rows.phase_turns) for voice in voices_of_note(library()["rain"], seconds=20)]
    assert sum(map(len, phases)) == len(set().union(*phases)) > 100


@pytest.mark.parametrize("name", STRUCK)
def test_the_time_of_a_note_changes_nothing_else(name: str) -> None:
    """Chance does not depend on the time: a note moved by an hour has the same tables."""
    now, later = (voices_of_note(library()[name], at_s=at_s) for at_s in (0.0, 3600.0))
    assert bits(now) == bits(later)
    moved = 3600 * RATE_HZ
    assert [voice.timing.silent + moved for voice in now] == [voice.timing.silent for voice in later]


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("name", NAMES)
def test_any_note_can_be_played(name: str, rate_hz: int) -> None:
    """At any pitch and velocity, however short: all is finite, nothing lies above 0.45 of the sample rate."""
    for pitch, velocity, seconds in ((0, 0.0, 0.001), (0, 1.0, 3), (60, 0.01, 0.3), (127, 1.0, 3)):
        audio = AudioFormat(rate_hz)
        voices = voices_of_note(library()[name], audio=audio, pitch=pitch, velocity=velocity, seconds=seconds)
        assert all(voice.finite and voice.rows.freq_hz.max(initial=0) < 0.45 * rate_hz for voice in voices)
        assert all(voice.timing.silent > voice.timing.at for voice in voices)


@pytest.mark.parametrize("name", NAMES)
def test_a_voice_is_silent_when_it_claims_to_be(name: str) -> None:
    """From its silent frame on, what is left of its partials is 80 dB below its peak."""
    voice = tones(library()[name], seconds=0.5)
    if voice is None:
        return
    begins, at_release = (oracle.partials(voice, CD.frames(at_s), 4410, CD) for at_s in (0.0, 0.45))
    left = oracle.partials(voice, voice.timing.silent, 4410, CD)
    assert np.abs(left).max() < 1e-4 * np.abs([begins, at_release]).max()


@pytest.mark.parametrize("name", NAMES)
def test_noise_is_silent_when_its_voice_is(name: str) -> None:
    """When a voice is silent, its noise is 80 dB below its loudest level."""
    voice = voices_of_note(library()[name], seconds=0.3)[0]
    if not len(voice.hiss):
        return
    silent_s = CD.seconds(voice.timing.silent - voice.timing.at)
    levels = oracle.noise_levels(voice, np.linspace(0, silent_s, 1000))
    left = oracle.noise_levels(voice, silent_s + np.linspace(0, 1, 20))
    assert left.max() < 1e-4 * levels.max()


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize(("names", "limit_db"), [(MODAL, -58), (STEADY, -54), (BENDING, -44)])
def test_interpolation_is_as_good_as_every_border(names: list[str], limit_db: float, rate_hz: int) -> None:
    """A voice rendered as usual, interpolated where it is steady, against the full grid at every border.

    At the median of five notes, the largest difference is below -58 dB of the peak for struck notes, -54 dB
    for sustained ones and, where vibrato bends the coarse grid's straight lines, -44 dB.
    """
    audio = AudioFormat(rate_hz)
    for name in names:
        assert median(interpolation_error_db(name, number, audio) for number in range(1, 6)) < limit_db, name


def interpolation_error_db(name: str, number: int, audio: AudioFormat) -> float:
    """The largest difference that interpolation makes to a note, relative to its peak."""
    voice = tones(library()[name], audio=audio, at_s=0.0371, seconds=0.6, number=number)
    assert voice is not None
    never = np.full_like(voice.timing.risen, voice.timing.silent)
    ends = np.full_like(voice.timing.ends, voice.timing.silent)
    timing = replace(voice.timing, settled=voice.timing.silent, risen=never, ends=ends)
    exact = replace(voice, timing=timing, _stages={}, _placed={})
    found, expected = (oracle.rendered([each], 0, 13, audio) for each in (voice, exact))
    return oracle.error_db(found, expected)


@pytest.mark.parametrize("name", STRUCK)
def test_a_struck_note_is_a_sum_of_sines(name: str) -> None:
    """From 50 ms after its onset a note is the float64 sum of its partials, to -58 dB of its peak."""
    voice = tones(library()[name], at_s=0.0371, seconds=0.9)
    if voice is None:
        return
    found, expected = oracle.rendered([voice], 0, 14, CD), oracle.partials(voice, 0, 14 * 4410, CD)
    struck = CD.frames(0.0371 + 0.05)
    error = np.abs(found - expected)[:, struck:].max() / np.abs(expected).max()
    assert 20 * np.log10(error + 1e-12) < -58


@pytest.mark.parametrize("name", STRUCK)
def test_an_attack_is_on_time(name: str) -> None:
    """The time at which half of a stroke's energy has come is right within 2 ms."""
    voice = tones(library()[name], at_s=0.0371, seconds=0.9)
    if voice is None:
        return
    found, expected = oracle.rendered([voice], 0, 2, CD), oracle.partials(voice, 0, 2 * 4410, CD)
    half_s = [
        np.searchsorted(np.cumsum(np.sum(x**2, 0)), 0.5 * np.sum(x**2)) / RATE_HZ for x in (found, expected)
    ]
    assert half_s[0] == pytest.approx(half_s[1], abs=0.002)


def test_only_grains_have_parts() -> None:
    """A note is one part, and with grains has another one per second: only the audible ones are returned."""
    rain = patch_of(grains=Grains(rate_hz=5, level_db=-20, t60_s=(0.1, 0.5), hz=(500, 900)))
    note = note_of(seconds=3600)
    assert parts_of(note, patch_of(fixed_hz=50.0), CD, 0, 4410) == [0]
    assert parts_of(note, rain, CD, 1000 * RATE_HZ, 1000 * RATE_HZ + 4410) == [0, 999, 1000, 1001]


def test_velocity_0_is_nearly_nothing() -> None:
    """A note without velocity is silence, not an error."""
    assert not oracle.rendered(voices_of_note(library()["felt_piano"], velocity=0.0), 0, 3, CD).any()
