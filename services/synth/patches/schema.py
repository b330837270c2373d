"""What a patch may say: every parameter with its unit, range, curve and a line of description.

A patch is data: one JSON file, checked against these structures. Levels are dB, times seconds, pitches cents
or hertz; what is given per partial is a list in the order of the partials. Sources of the recipes are beside
the recipes.
"""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

# From A to B on a control surface: evenly, or evenly in octaves.
Curve = Literal["linear", "exponential"]
OCTAVES: Final = 10  # of noise levels: 31 Hz to 16 kHz
# What a patch is played as: it decides by which phrase it is measured.
Family = Literal["pad", "bass", "lead", "keys", "bells", "texture", "percussion"]


def _parameter(low: float, high: float, unit: str, description: str, curve: Curve = "linear") -> Any:
    return Meta(ge=low, le=high, description=description, extra={"unit": unit, "curve": curve})


Db = Annotated[float, _parameter(-120, 24, "dB", "A level.")]
Share = Annotated[float, _parameter(0, 1, "", "A share of the whole.")]
Pan = Annotated[float, _parameter(-1, 1, "", "Place between left and right.")]
Ratio = Annotated[float, _parameter(0.01, 64, "", "Frequency over the fundamental.", "exponential")]
Hertz = Annotated[float, _parameter(10, 24_000, "Hz", "A frequency.", "exponential")]
Offset = Annotated[float, _parameter(-50, 50, "Hz", "A distance of two partials.")]
Rate = Annotated[float, _parameter(0, 20, "Hz", "A slow rate.", "exponential")]
Seconds = Annotated[float, _parameter(0, 60, "s", "A time.", "exponential")]
T60 = Annotated[float, _parameter(0.005, 60, "s", "Time to fall by 60 dB.", "exponential")]
Cents = Annotated[float, _parameter(-2400, 2400, "cent", "A distance of pitches.")]
Exponent = Annotated[float, _parameter(-2, 4, "", "A power.")]
Midi = Annotated[int, _parameter(0, 127, "MIDI", "A pitch.")]
Swing = Annotated[float, _parameter(0, 24, "dB", "How far a level moves to either side.")]
Octaves = Annotated[float, _parameter(-6, 6, "octave", "A distance of frequencies.")]


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Harmonics(_Part, frozen=True, tag="harmonics", tag_field="kind"):
    """A harmonic series: ``n^-exponent``, or the levels as given."""

    count: Annotated[int, _parameter(1, 64, "", "How many partials.")]
    exponent: Exponent = 1.0
    levels_db: tuple[Db, ...] = ()
    even_db: Db = 0.0
    stretch: Annotated[float, _parameter(0, 0.02, "", "Inharmonicity B of a stiff string at middle C.")] = 0.0
    stretch_semitones: Annotated[float, _parameter(1, 48, "semitone", "B doubles every so many.")] = 8.0
    stretch_least: Annotated[float, _parameter(0, 0.02, "", "Wound strings are no stiffer below this.")] = 0.0
    pluck: Annotated[float, _parameter(0, 0.5, "", "Where a string is struck; 0: nowhere.")] = 0.0
    pluck_floor: Share = 0.15
    spread_db: Swing = 0.0


class Modes(_Part, frozen=True, tag="modes", tag_field="kind"):
    """The modes of a body: ratios, levels and, where they differ, decays."""

    ratios: tuple[Ratio, ...]
    levels_db: tuple[Db, ...]
    offsets_hz: tuple[Offset, ...] = ()
    t60_s: tuple[T60, ...] = ()
    spread_db: Swing = 0.0


class Decay(_Part, frozen=True):
    """How what is struck dies away: fast, then slow; rates at middle C (Weinreich 1977)."""

    fast_db_s: Annotated[float, _parameter(0, 4000, "dB/s", "At first.", "exponential")] = 0.0
    slow_db_s: Annotated[float, _parameter(0, 4000, "dB/s", "Later.", "exponential")] = 0.0
    slow_share_db: Db = -120.0
    fast_step: Share = 0.0  # partial n decays by 1 + step (n - 1) faster
    slow_step: Share = 0.0
    slow_ratio: Share = 0.5  # of the fast rate, for modes that have decays of their own
    tracking: Exponent = 0.0
    spread_octaves: Octaves = 0.0
    slow_spread_db: Swing = 0.0


class Filter(_Part, frozen=True):
    """A low-pass of 12 dB an octave that opens with brightness, velocity and pitch."""

    cutoff_hz: Hertz
    octaves: Octaves = 2.6
    tracking: Exponent = 0.0
    velocity_octaves: Octaves = 0.0
    motion_octaves: Octaves = 0.0
    motion_hz: Rate = 0.07
    together: bool = False  # all notes move as one, by the channel's time


class Morph(_Part, frozen=True):
    """Three spectra between which the sound moves; positions run from 0 (first) to 1 (last)."""

    spectra: tuple[tuple[Db, ...], tuple[Db, ...], tuple[Db, ...]] | Literal["vowels"]
    position: Share = 0.5
    intensity_share: Annotated[float, _parameter(-1, 1, "", "Further on from intensity 0 to 1.")] = 0.0
    pitch_share: Annotated[float, _parameter(-1, 1, "1/octave", "Further on from middle C up.")] = 0.0
    depth: Share = 0.35
    rate_hz: Rate = 0.02
    together: bool = False  # all notes move as one, by the channel's time
    tract: Annotated[float, _parameter(0, 2, "", "How strongly formants shape; 1: as measured.")] = 1.0


class Copy(_Part, frozen=True):
    """One of the copies that sound together."""

    cents: Cents = 0.0
    weight: Share = 1.0
    pan: Pan = 0.0


class Unison(_Part, frozen=True):
    """Copies of the partials; ``upper`` instead of ``copies`` from partial ``upper_from`` on."""

    copies: tuple[Copy, ...] = (Copy(),)
    upper: tuple[Copy, ...] = ()
    upper_from: Annotated[int, _parameter(2, 64, "", "The first partial of the upper ones.")] = 64
    tracking: Exponent = 0.0  # detune falls with pitch by this power
    spread_cents: Annotated[float, _parameter(0, 200, "cent", "How far copies are off by chance.")] = 0.0
    start_spread_s: Seconds = 0.0
    beat_hz: Rate = 0.0  # the copies' least distance, whatever the pitch
    alone_below_hz: Annotated[
        float, _parameter(0, 2000, "Hz", "Lower partials have the loudest copy only.")
    ] = 0.0


class Envelope(_Part, frozen=True):
    """Attack and release; upper partials begin later and end earlier."""

    attack_s: Annotated[float, _parameter(0.001, 30, "s", "From silence to full.", "exponential")]
    release_s: Annotated[float, _parameter(0.01, 30, "s", "From the gate's end to silence.", "exponential")]
    attack_step: Share = 0.0  # partial n takes 1 + step (n - 1) times as long
    delay_step_s: Annotated[float, _parameter(0, 0.2, "s", "Partial n begins so much later than n - 1.")] = (
        0.0
    )
    release_step: Share = 0.0


class Motion(_Part, frozen=True):
    """What moves while a note sounds: levels that wander, vibrato, tremolo, a pitch that arrives."""

    wander_db: Swing = 0.0
    wander_step_db: Annotated[float, _parameter(0, 6, "dB", "Partial n wanders so much more than n - 1.")] = (
        0.0
    )
    wander_hz: Rate = 0.1
    vibrato_cents: Annotated[float, _parameter(0, 100, "cent", "To either side.")] = 0.0
    vibrato_low_hz: Rate = 4.7
    vibrato_high_hz: Rate = 5.6
    vibrato_after_s: Seconds = 0.5
    tremolo_db: Swing = 0.0
    tremolo_step_db: Annotated[float, _parameter(0, 6, "dB", "Partial n swings so much more.")] = 0.0
    tremolo_low_hz: Rate = 3.0
    tremolo_high_hz: Rate = 5.5
    tremolo_partials: Annotated[int, _parameter(1, 64, "", "Only so many partials swing.")] = 64
    slide_cents: Cents = 0.0  # the pitch begins so far off
    slide_s: Annotated[float, _parameter(0.001, 2, "s", "and arrives with this time constant.")] = 0.05


class Resonance(_Part, frozen=True):
    """A formant of the instrument's body: partials near it are louder, whatever the note."""

    hz: Hertz
    level_db: Db
    width_hz: Annotated[float, _parameter(10, 10_000, "Hz", "Its band at half its level.", "exponential")]


class BodyMode(_Part, frozen=True):
    """A resonance of the body that does not follow the pitch."""

    hz: Hertz
    level_db: Db
    t60_s: T60


class Noise(_Part, frozen=True):
    """Shaped noise: levels by octave from 31 Hz to 16 kHz, sustained or struck."""

    level_db: Db
    octaves_db: Annotated[tuple[Db, ...], Meta(min_length=OCTAVES, max_length=OCTAVES)]
    attack_s: Annotated[float, _parameter(0.001, 30, "s", "From silence to full.", "exponential")] = 0.005
    t60_s: Annotated[tuple[T60, ...], Meta(max_length=OCTAVES)] = ()  # none: sustained; one: for all octaves
    delay_s: Seconds = 0.0
    rise_exponent: Annotated[float, _parameter(1, 6, "", "Above 1: swells.")] = 1.0
    # Each octave over 1 kHz begins so much of the attack later; all are full at its end.
    opening: Annotated[float, _parameter(0, 0.2, "1/octave", "How a swell opens from below.")] = 0.0
    velocity_exponent: Exponent = 1.0
    intensity_db: Annotated[float, _parameter(-24, 24, "dB", "Louder from intensity 0 to 1 by this.")] = 0.0
    gust_db: Swing = 0.0
    gust_hz: Rate = 0.06
    gust_step: Share = 0.0  # each octave's gusts are so much its own
    gust_octave_db: Annotated[
        float, _parameter(-6, 6, "dB", "Each octave over 250 Hz swings so much more.")
    ] = 0.0
    gust_lag_s: Annotated[float, _parameter(-5, 5, "s", "Each octave's gusts come so much later.")] = 0.0
    follows_pitch: bool = False
    pan: Pan = 0.0


class Grains(_Part, frozen=True):
    """A rain of short tones while the note sounds."""

    rate_hz: Annotated[float, _parameter(0.1, 30, "1/s", "How many, at intensity 0.5.", "exponential")]
    level_db: Db
    t60_s: tuple[T60, T60]
    semitones: tuple[Annotated[float, _parameter(-48, 60, "semitone", "Over the note.")], ...] = ()
    hz: tuple[Hertz, Hertz] | None = None
    intensity_octaves: Octaves = 0.0  # from intensity 0 to 1 the rate doubles so often
    level_spread_db: Swing = 3.0
    harmonics_db: tuple[Db, ...] = (0.0,)  # what each grain is made of
    attack_share: Share = 0.0  # of its T60; 0: struck
    rise_cents: Cents = 0.0
    pan: Share = 0.9


class Patch(_Part, frozen=True):
    """One instrument."""

    description: str
    family: Family
    level_db: Db
    low: Midi
    high: Midi
    partials: Harmonics | Modes | None = None
    envelope: Envelope = Envelope(attack_s=0.01, release_s=0.5)
    decay: Decay | None = None
    filter: Filter | None = None
    morph: Morph | None = None
    unison: Unison = Unison()
    motion: Motion = Motion()
    resonances: tuple[Resonance, ...] = ()
    body: tuple[BodyMode, ...] = ()
    noises: tuple[Noise, ...] = ()
    grains: Grains | None = None
    fixed_hz: Hertz | None = None  # sounds at this frequency, whatever the note
    brightness_db: Annotated[float, _parameter(0, 24, "dB", "Tilt of partials with brightness.")] = 0.0
    velocity_exponent: Exponent = 1.2
    keytrack_db: Annotated[float, _parameter(-12, 12, "dB/octave", "Louder upwards by this.")] = 0.0
    pan_by_pitch: Annotated[float, _parameter(0, 2, "", "Low notes left, high ones right.")] = 0.0
    partial_pan: Share = 0.0  # partials spread at random by this
    mono_below_hz: Hertz = 160.0
    trim_db: Annotated[float, _parameter(-40, 40, "dB", "Brings the patch to its level; calibrated.")] = 0.0
