"""How partials move: decays, vibrato, tremolo and slides, measured on rendered audio."""

import numpy as np
import pytest
from scipy import signal

from services.synth.dsp.arrays import Float64Array
from services.synth.patches.library import library
from services.synth.patches.schema import (
    BodyMode,
    Copy,
    Decay,
    Envelope,
    Filter,
    Harmonics,
    Modes,
    Morph,
    Motion,
    Patch,
    Unison,
)
from services.synth.voices.columns import Fast, Slow
from services.synth.voices.pitched import stereo_gains
from services.synth.voices.voice import Rows
from tests.unit.synth import oracle
from tests.unit.synth.players import CD, patch_of, voices_of_note

RATE_HZ = CD.sample_rate_hz
ONE = Modes(ratios=(1.0,), levels_db=(0.0,))
QUICK = Envelope(attack_s=0.005, release_s=0.5)


def left(patch: Patch, seconds: float, **note: float) -> Float64Array:
    """The left ear's audio of a long note."""
    voices = voices_of_note(patch, seconds=60, **note)
    return np.asarray(oracle.rendered(voices, 0, round(10 * seconds), CD)[0])


def rows_of(patch: Patch, **note: float) -> Rows:
    return voices_of_note(patch, **note)[0].rows


def level_db(samples: Float64Array) -> Float64Array:
    """The envelope of a single partial."""
    return np.asarray(20 * np.log10(np.abs(signal.hilbert(samples)) + 1e-12))


def freq_hz(samples: Float64Array) -> Float64Array:
    """The frequency of a single partial, smoothed over 5 ms."""
    turns = np.unwrap(np.angle(signal.hilbert(samples))) / (2 * np.pi)
    hop = RATE_HZ // 200
    return np.asarray((turns[hop:] - turns[:-hop]) / hop * RATE_HZ)


def slope(curve: Float64Array, first_s: float, last_s: float) -> float:
    """Per second, between two times."""
    piece = curve[int(first_s * RATE_HZ) : int(last_s * RATE_HZ)]
    return float(np.polyfit(np.arange(len(piece)) / RATE_HZ, piece, 1)[0])


def test_a_string_dies_away_in_two_stages() -> None:
    """First at the fast rate, then at the slow one, each measured within 5 %."""
    decay = Decay(fast_db_s=50, slow_db_s=6, slow_share_db=-34)
    curve = level_db(left(patch_of(partials=ONE, decay=decay, envelope=QUICK), 3))
    assert slope(curve, 0.05, 0.25) == pytest.approx(-50, rel=0.05)
    assert slope(curve, 1.5, 2.8) == pytest.approx(-6, rel=0.05)


@pytest.mark.parametrize("pitch", [48, 60, 72])
def test_decays_follow_the_pitch_by_their_power(pitch: float) -> None:
    """With tracking 1 a note an octave higher dies away twice as fast."""
    patch = patch_of(partials=ONE, decay=Decay(fast_db_s=20, tracking=1.0), envelope=QUICK)
    expected = -20 * 2 ** ((pitch - 60) / 12)
    assert slope(level_db(left(patch, 0.8, pitch=pitch)), 0.1, 0.7) == pytest.approx(expected, rel=0.02)


def test_a_mode_falls_by_60_db_in_its_t60() -> None:
    """A T60 of 1.5 s is a slope of 40 dB/s."""
    modes = Modes(ratios=(1.0,), levels_db=(0.0,), t60_s=(1.5,))
    assert slope(level_db(left(patch_of(partials=modes, envelope=QUICK), 1.2)), 0.1, 1.1) == pytest.approx(
        -40, rel=0.01
    )


def test_knees_are_random() -> None:
    """Rates and knees of partials have the patch's standard deviations; the mean knee is the patch's."""
    decay = Decay(fast_db_s=20, slow_db_s=4, slow_share_db=-13, spread_octaves=0.5, slow_spread_db=4)
    patch = patch_of(partials=Harmonics(count=40, exponent=0), decay=decay)
    fast = np.concatenate([rows_of(patch, pitch=36, number=number).fast for number in range(8)])
    octaves, share_db = np.log2(fast[:, Fast.FAST]), 20 * np.log10(fast[:, Fast.SLOW_SHARE])
    assert (np.std(octaves), np.std(share_db)) == (pytest.approx(0.5, abs=0.15), pytest.approx(4, abs=1))
    assert np.mean(share_db) == pytest.approx(-13, abs=2)


def test_vibrato_has_its_rate_and_depth() -> None:
    """Measured by demodulation: 12 cents to either side, between 4.7 and 5.6 Hz, after half a second."""
    motion = Motion(vibrato_cents=12, vibrato_after_s=0.5)
    patch = patch_of(partials=ONE, motion=motion, envelope=QUICK)
    cents = 1200 * np.log2(freq_hz(left(patch, 4.2, pitch=69))[4410:-2000] / 440)
    assert np.abs(cents[: int(0.35 * RATE_HZ)]).max() < 0.5
    steady = cents[int(1.3 * RATE_HZ) :]
    assert np.sqrt(2) * np.std(steady) == pytest.approx(12, rel=0.03)
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady)), 2**20))
    assert 4.7 <= np.argmax(spectrum) * RATE_HZ / 2**20 <= 5.6


def test_tremolo_has_its_depth() -> None:
    """A swing of 4 dB to either side, of the first partials only."""
    motion = Motion(tremolo_db=4, tremolo_low_hz=4, tremolo_high_hz=4, tremolo_partials=1)
    curve = level_db(left(patch_of(partials=ONE, motion=motion, envelope=QUICK), 2))[4410:-4410]
    assert (curve.max() - curve.min()) / 2 == pytest.approx(4, rel=0.02)
    crossings = np.sum(np.diff(np.sign(curve - curve.mean())) != 0)
    assert crossings / 2 / (len(curve) / RATE_HZ) == pytest.approx(4, rel=0.1)
    two = rows_of(patch_of(partials=Harmonics(count=2), motion=motion))
    assert two.fast[1, Fast.TREMOLO] == 0


def test_a_drums_pitch_falls() -> None:
    """The sweep of a kick: from 105 Hz above 46 Hz down to it, with a time constant of 16 ms."""
    motion = Motion(slide_cents=1200 * np.log2(151 / 46), slide_s=0.016)
    patch = patch_of(
        partials=ONE, motion=motion, fixed_hz=46.0, envelope=Envelope(attack_s=0.004, release_s=1)
    )
    samples = left(patch, 0.5)
    crossings = np.flatnonzero(np.diff(np.sign(samples)) != 0)
    # The closed form turns by half a turn from crossing to crossing; the first ones lie in the attack.
    times = (crossings + 0.5) / RATE_HZ
    turns = 46 * times + 105 * 0.016 * (1 - np.exp(-times / 0.016))
    assert np.diff(turns)[2:14] == pytest.approx(np.full(12, 0.5), abs=0.02)


def test_the_soft_kick_has_such_a_sweep() -> None:
    """Its fundamental begins over 120 Hz and ends at 46."""
    kick = library()["soft_kick"]
    assert kick.fixed_hz == 46.0
    assert 46 * 2 ** (kick.motion.slide_cents / 1200) > 120


def test_upper_partials_begin_later_and_end_earlier() -> None:
    """By the patch's steps."""
    envelope = Envelope(attack_s=1, release_s=2, attack_step=0.1, delay_step_s=0.03, release_step=0.5)
    fast = rows_of(patch_of(partials=Harmonics(count=3), envelope=envelope)).fast
    assert fast[:, Fast.DELAY_S] == pytest.approx([0, 0.03, 0.06])
    assert fast[:, Fast.ATTACK_S] == pytest.approx([1, 1.1, 1.2])
    assert fast[:, Fast.RELEASE_S] == pytest.approx([2, 2 / 1.5, 1])


def test_a_low_pass_halves_the_power_at_its_cutoff() -> None:
    """12 dB per octave: -3 dB at the cutoff, -12.3 dB an octave above; here velocity does not open it."""
    patch = patch_of(
        partials=ONE, filter=Filter(cutoff_hz=440.0), envelope=Envelope(attack_s=0.05, release_s=1)
    )
    bare = patch_of(partials=ONE, envelope=Envelope(attack_s=0.05, release_s=1))
    falls = [np.std(left(patch, 1, pitch=p)[8820:]) / np.std(left(bare, 1, pitch=p)[8820:]) for p in (69, 81)]
    assert 20 * np.log10(falls) == pytest.approx([-3.01, -12.3], abs=0.05)


def test_velocity_opens_a_low_pass() -> None:
    """By the patch's octaves times the velocity's excess over 0.7."""
    patch = patch_of(partials=ONE, filter=Filter(cutoff_hz=1000.0, velocity_octaves=2.0))
    cutoffs = [rows_of(patch, velocity=v).slow[0, Slow.CUTOFF_HZ] for v in (0.7, 0.2, 1.0)]
    assert cutoffs == pytest.approx([1000, 500, 1000 * 2**0.6])


def test_velocity_tilts_by_half_of_what_brightness_does() -> None:
    """At the second harmonic, 8 dB of tilt give 2 dB from velocity 0.1 to 0.6."""
    patch = patch_of(partials=Harmonics(count=2, exponent=0), brightness_db=8, velocity_exponent=0)
    soft, middle = (rows_of(patch, velocity=v).slow[:, Slow.GAIN] for v in (0.1, 0.6))
    assert 20 * np.log10(soft / middle) == pytest.approx([0, -2], abs=1e-3)


def test_brightness_tilts_the_spectrum() -> None:
    """Intensity 1 lifts the second harmonic by 30 % of the tilt over intensity 0.5, and leaves the first."""
    patch = patch_of(partials=Harmonics(count=2, exponent=0), brightness_db=10, envelope=QUICK)
    voices = voices_of_note(patch, pitch=69, seconds=60)
    spectra = [np.abs(np.fft.rfft(oracle.rendered(voices, 5, 10, CD, i)[0])) for i in (0.5, 1.0)]
    lift = 20 * np.log10(spectra[1][[440, 880]] / spectra[0][[440, 880]])
    assert lift == pytest.approx([0, 3], abs=0.05)


def test_the_body_does_not_follow_the_note() -> None:
    """Its resonances are at the same frequencies at any pitch, apart from chance."""
    patch = patch_of(partials=ONE, body=(BodyMode(hz=168.0, level_db=-20, t60_s=0.2),))
    found = [rows_of(patch, pitch=pitch).freq_hz[-1] for pitch in (40, 60, 90)]
    assert found == pytest.approx([168.0] * 3, rel=0.05)


def test_power_is_the_same_at_any_pan() -> None:
    """Equal-power panning; low frequencies stay in the middle."""
    pan, freq = np.linspace(-1, 1, 21), np.full(21, 1000.0)
    gains = stereo_gains(pan, freq, 160.0)
    assert np.sum(gains**2, axis=1) == pytest.approx(np.ones(21))
    assert stereo_gains(pan, freq / 20, 160.0) == pytest.approx(np.full((21, 2), 0.5**0.5))
    assert (gains[0, 1], gains[-1, 0]) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-9))


def test_low_notes_lie_left() -> None:
    """If the patch spreads its notes over the stage."""
    patch = patch_of(partials=ONE, pan_by_pitch=1.0)
    lefts = [rows_of(patch, pitch=pitch).stereo[0, 0] for pitch in (48, 64, 80)]
    assert lefts == sorted(lefts, reverse=True)


def test_unequal_copies_never_beat_to_silence() -> None:
    """Two copies of 0.8 and 0.2 beat by 2 to 4.5 dB: the tone breathes, but never falls silent."""
    copies = (Copy(cents=0, weight=0.8), Copy(cents=4, weight=0.2))
    patch = patch_of(partials=ONE, unison=Unison(copies=copies), envelope=QUICK)
    curve = level_db(left(patch, 3, pitch=69))[4410:-4410]
    assert 2 < np.ptp(curve) < 4.5


@pytest.mark.parametrize("at_s", [0.0, 13.0, 86_400.0])
def test_notes_move_together_by_the_channels_time(at_s: float) -> None:
    """A common filter or morph has the same phase at any time, whenever the note began."""
    moving = Filter(cutoff_hz=800, motion_octaves=0.5, motion_hz=0.07, together=True)
    morph = Morph(spectra=((0,), (-3,), (-6,)), rate_hz=0.03, together=True)
    patch = patch_of(partials=ONE, filter=moving, morph=morph)
    slow = rows_of(patch, at_s=at_s).slow[0]
    assert slow[Slow.CUTOFF_TURNS] == pytest.approx(0.07 * at_s % 1, abs=1e-4)
    assert slow[Slow.MORPH_TURNS] == pytest.approx(0.03 * at_s % 1, abs=1e-4)
    assert slow[[Slow.CUTOFF_SWING_HZ, Slow.MORPH_HZ]] == pytest.approx([0.07, 0.03])


def test_notes_move_independently_by_default() -> None:
    """Two notes share neither rate nor phase."""
    patch = patch_of(partials=ONE, filter=Filter(cutoff_hz=800, motion_octaves=0.5))
    one, other = (rows_of(patch, number=number).slow[0] for number in (1, 2))
    assert one[Slow.CUTOFF_SWING_HZ] != other[Slow.CUTOFF_SWING_HZ]
    assert one[Slow.CUTOFF_TURNS] != other[Slow.CUTOFF_TURNS]


def test_a_morph_follows_the_pitch() -> None:
    """By its share per octave above middle C."""
    morph = Morph(spectra=((0,), (-3,), (-6,)), position=0.2, pitch_share=0.25)
    patch = patch_of(partials=ONE, morph=morph)
    places = [rows_of(patch, pitch=pitch).slow[0, Slow.MORPH_AT] for pitch in (60, 72, 84)]
    assert places == pytest.approx([0.2, 0.45, 0.7], abs=1e-4)
