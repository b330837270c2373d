"""What a patch may say: every parameter with its unit, range, curve and a line of description.

A patch is data: one JSON file, checked against these structures. Levels are dB, times seconds, pitches cents
or hertz; what is given per partial is a list in the order of the partials. Sources of the recipes are beside
the recipes.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from services.synth.patches.quantities import (
    T60,
    Cents,
    Count,
    Db,
    DecayRate,
    Exponent,
    Fall,
    Hertz,
    Midi,
    Octaves,
    Offset,
    Pan,
    Rate,
    Ratio,
    Rise,
    Seconds,
    Semitones,
    Share,
    Shift,
    Stiffness,
    Swing,
    SwingStep,
    Tilt,
    ranged,
    says,
)

OCTAVES: Final = 10  # of noise levels: 31 Hz to 16 kHz
# What a patch is played as: it decides by which phrase it is measured.
Family = Literal["pad", "bass", "lead", "keys", "bells", "texture", "percussion"]
Levels = tuple[Db, ...]


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Harmonics(_Part, frozen=True, tag="harmonics", tag_field="kind"):
    """A harmonic series: ``n^-exponent``, or the levels as given."""

    count: Annotated[Count, says("How many partials.")]
    exponent: Annotated[Exponent, says("Partial n has the level n^-exponent.")] = 1.0
    levels_db: Annotated[Levels, says("The levels instead, one a partial.")] = ()
    even_db: Annotated[Db, says("Even partials against odd ones.")] = 0.0
    stretch: Annotated[Stiffness, says("Inharmonicity B of a stiff string at middle C.")] = 0.0
    stretch_semitones: Annotated[float, ranged(1, 48, "semitone"), says("B doubles every so many.")] = 8.0
    stretch_least: Annotated[Stiffness, says("Wound strings are no stiffer below this.")] = 0.0
    pluck: Annotated[float, ranged(0, 0.5), says("Where along a string it is struck; 0: nowhere.")] = 0.0
    pluck_floor: Annotated[Share, says("What is left of partials that have a node there.")] = 0.15
    spread_db: Annotated[Swing, says("Each note's partials differ by chance by so much.")] = 0.0


class Modes(_Part, frozen=True, tag="modes", tag_field="kind"):
    """The modes of a body: ratios, levels and, where they differ, decays."""

    ratios: Annotated[tuple[Ratio, ...], says("Frequencies over the fundamental.")]
    levels_db: Annotated[Levels, says("One a mode.")]
    offsets_hz: Annotated[tuple[Offset, ...], says("Added to the frequencies.")] = ()
    t60_s: Annotated[tuple[T60, ...], says("Times to fall by 60 dB; none: modes are sustained.")] = ()
    spread_db: Annotated[Swing, says("Each note's modes differ by chance by so much.")] = 0.0


class Decay(_Part, frozen=True):
    """How what is struck dies away: fast, then slow; rates at middle C (Weinreich 1977)."""

    fast_db_s: Annotated[DecayRate, says("At first.")] = 0.0
    slow_db_s: Annotated[DecayRate, says("Later.")] = 0.0
    slow_share_db: Annotated[Db, says("The level of what decays slowly.")] = -120.0
    fast_step: Annotated[Share, says("Partial n decays by 1 + step (n - 1) faster at first.")] = 0.0
    slow_step: Annotated[Share, says("Partial n decays by 1 + step (n - 1) faster later.")] = 0.0
    slow_ratio: Annotated[
        Share, says("The slow rate over the fast one, of modes with decays of their own.")
    ] = 0.5
    tracking: Annotated[Exponent, says("Higher notes decay faster by this power of the pitch.")] = 0.0
    spread_octaves: Annotated[Octaves, says("Partials' fast rates differ by chance by so much.")] = 0.0
    slow_spread_db: Annotated[Swing, says("What decays slowly differs by chance by so much.")] = 0.0


class Filter(_Part, frozen=True):
    """A low-pass of 12 dB an octave that opens with brightness, velocity and pitch."""

    cutoff_hz: Annotated[Hertz, says("At A3, velocity 0.7 and brightness 0.5.")]
    octaves: Annotated[Octaves, says("Opens so far from brightness 0 to 1.")] = 2.6
    tracking: Annotated[Exponent, says("Opens with the pitch by this power.")] = 0.0
    velocity_octaves: Annotated[Octaves, says("Opens so far from velocity 0 to 1.")] = 0.0
    motion_octaves: Annotated[Octaves, says("Moves so far to either side by itself.")] = 0.0
    motion_hz: Annotated[Rate, says("How fast it moves.")] = 0.07
    together: Annotated[bool, says("All notes move as one, by the channel's time.")] = False


class Morph(_Part, frozen=True):
    """Three spectra between which the sound moves; positions run from 0 (first) to 1 (last)."""

    spectra: Annotated[
        tuple[Levels, Levels, Levels] | Literal["vowels"],
        says("A level for each partial in each spectrum; or the sung u, o and a."),
    ]
    position: Annotated[Share, says("The middle of the movement, at intensity 0.5 and middle C.")] = 0.5
    intensity_share: Annotated[Shift, says("Further on from intensity 0 to 1.")] = 0.0
    pitch_share: Annotated[Shift, says("Further on with each octave over middle C.")] = 0.0
    depth: Annotated[Share, says("Moves so far to either side by itself.")] = 0.35
    rate_hz: Annotated[Rate, says("How fast it moves.")] = 0.02
    together: Annotated[bool, says("All notes move as one, by the channel's time.")] = False
    tract: Annotated[float, ranged(0, 2), says("How strongly formants shape; 1: as measured.")] = 1.0


class Copy(_Part, frozen=True):
    """One of the copies that sound together."""

    cents: Annotated[Cents, says("Off the note.")] = 0.0
    weight: Annotated[Share, says("Against the other copies; together they have unit power.")] = 1.0
    pan: Annotated[Pan, says("Left to right.")] = 0.0


class Unison(_Part, frozen=True):
    """Copies of the partials; ``upper`` instead of ``copies`` from partial ``upper_from`` on."""

    copies: Annotated[tuple[Copy, ...], Meta(min_length=1), says("What sounds at once.")] = (Copy(),)
    upper: Annotated[tuple[Copy, ...], says("Fewer copies for upper partials.")] = ()
    upper_from: Annotated[int, ranged(2, 64), says("The first partial of the upper ones.")] = 64
    tracking: Annotated[Exponent, says("Detune falls with the pitch by this power, from 200 Hz on.")] = 0.0
    spread_cents: Annotated[float, ranged(0, 200, "cent"), says("Copies are off by chance by so much.")] = 0.0
    start_spread_s: Annotated[Seconds, says("Copies begin by chance up to so much later.")] = 0.0
    beat_hz: Annotated[Rate, says("The fundamental's copies lie this much further apart.")] = 0.0
    alone_below_hz: Annotated[
        float, ranged(0, 2000, "Hz"), says("Lower partials have the loudest copy only; 0: none.")
    ] = 0.0


class Envelope(_Part, frozen=True):
    """Attack and release; upper partials begin later and end earlier."""

    attack_s: Annotated[Rise, says("From silence to full.")]
    release_s: Annotated[Fall, says("From the gate's end to silence.")]
    attack_step: Annotated[Share, says("Partial n takes 1 + step (n - 1) times as long.")] = 0.0
    delay_step_s: Annotated[
        float, ranged(0, 0.2, "s"), says("Partial n begins so much later than n - 1.")
    ] = 0.0
    release_step: Annotated[Share, says("Partial n is released 1 + step (n - 1) times as fast.")] = 0.0


class Motion(_Part, frozen=True):
    """What moves while a note sounds: levels that wander, vibrato, tremolo, a pitch that arrives."""

    wander_db: Annotated[Swing, says("Each partial's level moves by itself so far to either side.")] = 0.0
    wander_step_db: Annotated[SwingStep, says("Partial n wanders so much more than n - 1.")] = 0.0
    wander_hz: Annotated[Rate, says("About how fast.")] = 0.1
    vibrato_cents: Annotated[float, ranged(0, 100, "cent"), says("To either side.")] = 0.0
    vibrato_low_hz: Annotated[Rate, says("Each copy's vibrato is at least as fast.")] = 4.7
    vibrato_high_hz: Annotated[Rate, says("Each copy's vibrato is at most as fast.")] = 5.6
    vibrato_after_s: Annotated[Seconds, says("Vibrato grows from here on.")] = 0.5
    tremolo_db: Annotated[Swing, says("Partials swing together so far to either side.")] = 0.0
    tremolo_step_db: Annotated[SwingStep, says("Partial n swings so much more than n - 1.")] = 0.0
    tremolo_low_hz: Annotated[Rate, says("A note's tremolo is at least as fast.")] = 3.0
    tremolo_high_hz: Annotated[Rate, says("A note's tremolo is at most as fast.")] = 5.5
    tremolo_partials: Annotated[Count, says("Only so many partials swing.")] = 64
    slide_cents: Annotated[Cents, says("The pitch begins so far off.")] = 0.0
    slide_s: Annotated[
        float, ranged(0.001, 2, "s", "exponential"), says("And arrives with this time constant.")
    ] = 0.05


class Resonance(_Part, frozen=True):
    """A formant of the instrument's body: partials near it are louder, whatever the note."""

    hz: Annotated[Hertz, says("Its middle.")]
    level_db: Annotated[Tilt, says("Partials there are louder by this.")]
    width_hz: Annotated[
        float, ranged(10, 10_000, "Hz", "exponential"), says("Between the places where half of it is left.")
    ]


class BodyMode(_Part, frozen=True):
    """A mode of the body that is struck with the note and does not follow the pitch."""

    hz: Annotated[Hertz, says("Its frequency.")]
    level_db: Annotated[Db, says("Its level.")]
    t60_s: Annotated[T60, says("Time to fall by 60 dB.")]


class Noise(_Part, frozen=True):
    """Shaped noise: levels by octave from 31 Hz to 16 kHz, sustained or struck."""

    level_db: Annotated[Db, says("Of all octaves.")]
    octaves_db: Annotated[
        Levels, Meta(min_length=OCTAVES, max_length=OCTAVES), says("Levels of the octaves.")
    ]
    attack_s: Annotated[Rise, says("From silence to full.")] = 0.005
    t60_s: Annotated[
        tuple[T60, ...],
        Meta(max_length=OCTAVES),
        says("Time to fall by 60 dB: one, or one an octave; none: sustained."),
    ] = ()
    delay_s: Annotated[Seconds, says("Begins so much later than the note.")] = 0.0
    rise_exponent: Annotated[float, ranged(1, 6), says("Above 1: swells.")] = 1.0
    opening: Annotated[
        float, ranged(0, 0.2), says("Each octave over 1 kHz begins by this share of the attack later.")
    ] = 0.0
    velocity_exponent: Annotated[Exponent, says("The level grows with velocity by this power.")] = 1.0
    intensity_db: Annotated[Tilt, says("Louder from intensity 0 to 1 by this.")] = 0.0
    gust_db: Annotated[Swing, says("Gusts go so far to either side.")] = 0.0
    gust_hz: Annotated[Rate, says("About how often gusts come.")] = 0.06
    gust_step: Annotated[Share, says("Each band's gusts are so much its own.")] = 0.0
    gust_octave_db: Annotated[
        float, ranged(-6, 6, "dB"), says("Each octave over 250 Hz swings so much more.")
    ] = 0.0
    gust_lag_s: Annotated[float, ranged(-5, 5, "s"), says("Each octave's gusts come so much later.")] = 0.0
    follows_pitch: Annotated[bool, says("The octaves move with the note, from middle C on.")] = False
    pan: Annotated[Pan, says("Left to right.")] = 0.0


class Grains(_Part, frozen=True):
    """A rain of short tones while the note sounds; either ``semitones`` or ``hz`` says which."""

    rate_hz: Annotated[float, ranged(0.1, 30, "1/s", "exponential"), says("How many, at intensity 0.5.")]
    level_db: Annotated[Db, says("Of a grain.")]
    t60_s: Annotated[tuple[T60, T60], says("Times to fall by 60 dB lie between these.")]
    semitones: Annotated[tuple[Semitones, ...], says("Over the note: each as likely as the others.")] = ()
    hz: Annotated[tuple[Hertz, Hertz] | None, says("Or anywhere between these.")] = None
    intensity_octaves: Annotated[Octaves, says("From intensity 0 to 1 the rate doubles so often.")] = 0.0
    level_spread_db: Annotated[Swing, says("Grains differ by chance by so much.")] = 3.0
    harmonics_db: Annotated[Levels, Meta(min_length=1), says("The harmonics of a grain.")] = (0.0,)
    attack_share: Annotated[Share, says("Rises for this share of its T60; 0: struck.")] = 0.0
    rise_cents: Annotated[Cents, says("The pitch rises by this.")] = 0.0
    pan: Annotated[Share, says("Grains lie so far to either side.")] = 0.9


class Patch(_Part, frozen=True):
    """One instrument."""

    description: Annotated[str, says("What it sounds like.")]
    family: Annotated[Family, says("What it is played as.")]
    level_db: Annotated[Db, says("Its level before calibration.")]
    low: Annotated[Midi, says("The lowest note that it is meant for.")]
    high: Annotated[Midi, says("The highest one.")]
    partials: Annotated[Harmonics | Modes | None, says("What follows the pitch.")] = None
    envelope: Annotated[Envelope, says("How partials, and sustained noise, come and go.")] = Envelope(
        attack_s=0.01, release_s=0.5
    )
    decay: Annotated[Decay | None, says("How partials die away; none: they are sustained.")] = None
    filter: Annotated[Filter | None, says("A low-pass over the partials.")] = None
    morph: Annotated[Morph | None, says("Spectra that are added to the partials' levels.")] = None
    unison: Annotated[Unison, says("Copies of the partials.")] = Unison()
    motion: Annotated[Motion, says("What moves while a note sounds.")] = Motion()
    resonances: Annotated[tuple[Resonance, ...], says("The body's formants.")] = ()
    body: Annotated[tuple[BodyMode, ...], says("The body's modes.")] = ()
    noises: Annotated[tuple[Noise, ...], says("Breath, bow, hammer, weather.")] = ()
    grains: Annotated[Grains | None, says("Drops, dust, points of light.")] = None
    fixed_hz: Annotated[Hertz | None, says("Sounds at this frequency, whatever the note.")] = None
    brightness_db: Annotated[
        float, ranged(0, 24, "dB"), says("From brightness 0 to 1 each octave of partials gains this.")
    ] = 0.0
    velocity_exponent: Annotated[Exponent, says("The level grows with velocity by this power.")] = 1.2
    keytrack_db: Annotated[
        float, ranged(-12, 12, "dB/octave"), says("Louder upwards by this, from middle C on.")
    ] = 0.0
    pan_by_pitch: Annotated[float, ranged(0, 2), says("Low notes left, high ones right.")] = 0.0
    partial_pan: Annotated[Share, says("Partials lie by chance so far to either side.")] = 0.0
    mono_below_hz: Annotated[Hertz, says("Lower partials are in the middle.")] = 160.0
    trim_db: Annotated[float, ranged(-40, 40, "dB"), says("Brings the patch to its level; calibrated.")] = 0.0
