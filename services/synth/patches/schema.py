"""What a patch may contain: every parameter with its unit, range, curve and a one-line description.

A patch is data: one JSON file, checked against these structures. Levels are dB, times seconds, pitches cents
or hertz; values per partial are lists in the order of the partials. Where the recipes come from:
``docs/patches.md``.
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
# The role in which a patch is played decides the phrase by which it is measured.
Family = Literal["pad", "bass", "lead", "keys", "bells", "texture", "percussion"]
Levels = tuple[Db, ...]
_SWING_RATE: Final = says("Rate of the swing; unless together, each note's is up to 0.7 octaves off.")
_TOGETHER: Final = says("Whether all notes swing as one, in the channel's time.")


class _Part(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Harmonics(_Part, frozen=True, tag="harmonics", tag_field="kind"):
    """A harmonic series: amplitudes of ``n^-exponent``, or given levels."""

    count: Annotated[Count, says("Number of partials.")]
    exponent: Annotated[Exponent, says("Partial n has the amplitude n^-exponent.")] = 1.0
    levels_db: Annotated[Levels, says("Levels instead of the exponent, one per partial.")] = ()
    even_db: Annotated[Db, says("Level of even partials relative to odd ones.")] = 0.0
    stretch: Annotated[Stiffness, says("Inharmonicity B of a stiff string at middle C.")] = 0.0
    stretch_semitones: Annotated[float, ranged(1, 48, "semitone"), says("Interval over which B doubles.")] = (
        8.0
    )
    stretch_least: Annotated[Stiffness, says("Least B, for low (wound) strings.")] = 0.0
    pluck: Annotated[
        float, ranged(0, 0.5), says("Where the string is struck, as a share of its length; 0: nowhere.")
    ] = 0.0
    pluck_floor: Annotated[
        Share, says("Share of the amplitude that is left of partials with a node there.")
    ] = 0.15
    spread_db: Annotated[Swing, says("Standard deviation of each partial's level.")] = 0.0


class Modes(_Part, frozen=True, tag="modes", tag_field="kind"):
    """The modes of a body: ratios, levels and, if they have their own, decays."""

    ratios: Annotated[tuple[Ratio, ...], says("Frequencies relative to the fundamental.")]
    levels_db: Annotated[Levels, says("Levels, one per mode.")]
    offsets_hz: Annotated[tuple[Offset, ...], says("Frequencies added to the modes', one per mode.")] = ()
    t60_s: Annotated[
        tuple[T60, ...],
        says("Times to fall by 60 dB, one per mode; none: modes decay as the patch's decay says."),
    ] = ()
    spread_db: Annotated[Swing, says("Standard deviation of each mode's level.")] = 0.0


class Decay(_Part, frozen=True):
    """How a struck or plucked tone decays: fast, then slowly; rates at middle C (Weinreich 1977)."""

    fast_db_s: Annotated[DecayRate, says("Decay rate of partial 1 at first.")] = 0.0
    slow_db_s: Annotated[DecayRate, says("Decay rate of partial 1 later.")] = 0.0
    slow_share_db: Annotated[Db, says("Level of the slow stage at the onset.")] = -120.0
    fast_step: Annotated[Share, says("Partial n's fast rate is 1 + step (n - 1) times as high.")] = 0.0
    slow_step: Annotated[Share, says("Partial n's slow rate is 1 + step (n - 1) times as high.")] = 0.0
    slow_ratio: Annotated[Share, says("Slow rate over the fast one, for modes with decays of their own.")] = (
        0.5
    )
    tracking: Annotated[Exponent, says("Exponent by which the rates grow with the pitch.")] = 0.0
    spread_octaves: Annotated[Octaves, says("Standard deviation of each partial's fast rate.")] = 0.0
    slow_spread_db: Annotated[
        Swing, says("Standard deviation of the level of each partial's slow stage.")
    ] = 0.0


class Filter(_Part, frozen=True):
    """A low-pass of 12 dB per octave that opens with brightness, velocity and pitch."""

    cutoff_hz: Annotated[Hertz, says("Cutoff at A3, velocity 0.7 and brightness 0.5.")]
    octaves: Annotated[Octaves, says("Rise of the cutoff from brightness 0 to 1.")] = 2.6
    tracking: Annotated[Exponent, says("Exponent by which the cutoff follows the pitch.")] = 0.0
    velocity_octaves: Annotated[Octaves, says("Rise of the cutoff from velocity 0 to 1.")] = 0.0
    motion_octaves: Annotated[Octaves, says("Swing of the cutoff to either side.")] = 0.0
    motion_hz: Annotated[Rate, _SWING_RATE] = 0.07
    together: Annotated[bool, _TOGETHER] = False


class Morph(_Part, frozen=True):
    """Three spectra between which the sound moves; positions range from 0 (first) to 1 (last)."""

    spectra: Annotated[
        tuple[Levels, Levels, Levels] | Literal["vowels"],
        says("Three spectra, a level per partial each; or the sung vowels u, o and a."),
    ]
    position: Annotated[Share, says("Centre of the movement at intensity 0.5 and middle C.")] = 0.5
    intensity_share: Annotated[Shift, says("Change of position from intensity 0 to 1.")] = 0.0
    pitch_share: Annotated[Shift, says("Change of position per octave above middle C.")] = 0.0
    depth: Annotated[Share, says("Swing of the position to either side.")] = 0.35
    rate_hz: Annotated[Rate, _SWING_RATE] = 0.02
    together: Annotated[bool, _TOGETHER] = False
    tract: Annotated[float, ranged(0, 2), says("Strength of the vowels' formants; 1: as published.")] = 1.0


class Copy(_Part, frozen=True):
    """One of several copies that sound together."""

    cents: Annotated[Cents, says("Detuning.")] = 0.0
    weight: Annotated[
        Share, says("Amplitude relative to the other copies; together they have unit power.")
    ] = 1.0
    pan: Annotated[Pan, says("Position from left (-1) to right (1).")] = 0.0


class Unison(_Part, frozen=True):
    """Copies of the partials; ``upper`` instead of ``copies`` from partial ``upper_from`` on."""

    copies: Annotated[tuple[Copy, ...], Meta(min_length=1), says("Copies that sound together.")] = (Copy(),)
    upper: Annotated[
        tuple[Copy, ...], says("Copies of the upper partials instead, usually fewer; none: the same.")
    ] = ()
    upper_from: Annotated[int, ranged(2, 64), says("First of the upper partials.")] = 64
    tracking: Annotated[
        Exponent, says("Exponent by which detuning falls with the pitch, relative to 200 Hz.")
    ] = 0.0
    spread_cents: Annotated[
        float, ranged(0, 200, "cent"), says("Standard deviation of each copy's detuning.")
    ] = 0.0
    start_spread_s: Annotated[Seconds, says("Longest random delay of a copy's onset.")] = 0.0
    beat_hz: Annotated[Rate, says("Extra distance between the fundamentals of neighbouring copies.")] = 0.0
    alone_below_hz: Annotated[
        float,
        ranged(0, 2000, "Hz"),
        says("Below about this frequency only the loudest copy sounds; 0: nowhere."),
    ] = 0.0


class Envelope(_Part, frozen=True):
    """Attack and release; upper partials may begin later and end earlier."""

    attack_s: Annotated[Rise, says("Time from silence to full level.")]
    release_s: Annotated[Fall, says("Time from the gate's end to silence.")]
    attack_step: Annotated[Share, says("Partial n's attack is 1 + step (n - 1) times as long.")] = 0.0
    delay_step_s: Annotated[
        float, ranged(0, 0.2, "s"), says("Delay of partial n's onset after partial n - 1's.")
    ] = 0.0
    release_step: Annotated[Share, says("Partial n's release is 1 + step (n - 1) times as fast.")] = 0.0


class Motion(_Part, frozen=True):
    """Movement while a note sounds: wandering levels, vibrato, tremolo, a slide up or down to the pitch."""

    wander_db: Annotated[
        Swing, says("Depth to either side of the swing of each partial's level, by itself.")
    ] = 0.0
    wander_step_db: Annotated[SwingStep, says("Increase of this depth from partial n - 1 to n.")] = 0.0
    wander_hz: Annotated[Rate, says("Rate of this swing, up to 0.7 octaves off by chance.")] = 0.1
    vibrato_cents: Annotated[float, ranged(0, 100, "cent"), says("Vibrato depth to either side.")] = 0.0
    vibrato_low_hz: Annotated[Rate, says("Lowest rate of a copy's vibrato.")] = 4.7
    vibrato_high_hz: Annotated[Rate, says("Highest rate of a copy's vibrato.")] = 5.6
    vibrato_after_s: Annotated[Seconds, says("Time after the onset at which vibrato begins to grow.")] = 0.5
    tremolo_db: Annotated[Swing, says("Tremolo depth to either side; all partials swing together.")] = 0.0
    tremolo_step_db: Annotated[SwingStep, says("Increase of this depth from partial n - 1 to n.")] = 0.0
    tremolo_low_hz: Annotated[Rate, says("Lowest rate of a note's tremolo.")] = 3.0
    tremolo_high_hz: Annotated[Rate, says("Highest rate of a note's tremolo.")] = 5.5
    tremolo_partials: Annotated[Count, says("Number of partials, from the first on, that have tremolo.")] = 64
    slide_cents: Annotated[Cents, says("Initial distance of the pitch from the note.")] = 0.0
    slide_s: Annotated[
        float, ranged(0.001, 2, "s", "exponential"), says("Time constant with which the pitch arrives.")
    ] = 0.05


class Resonance(_Part, frozen=True):
    """A formant of the instrument's body: partials near it have more gain, whatever the note."""

    hz: Annotated[Hertz, says("Centre frequency.")]
    level_db: Annotated[Tilt, says("Gain at the centre.")]
    width_hz: Annotated[
        float,
        ranged(10, 10_000, "Hz", "exponential"),
        says("Distance between the frequencies at which half of the decibels are left."),
    ]


class BodyMode(_Part, frozen=True):
    """A mode of the body that is struck with the note and does not follow the pitch."""

    hz: Annotated[Hertz, says("Frequency.")]
    level_db: Annotated[Db, says("Level.")]
    t60_s: Annotated[T60, says("Time to fall by 60 dB.")]


class Noise(_Part, frozen=True):
    """Shaped noise: levels by octave from 31 Hz to 16 kHz, sustained or struck."""

    level_db: Annotated[Db, says("Level, added to each octave's.")]
    octaves_db: Annotated[
        Levels, Meta(min_length=OCTAVES, max_length=OCTAVES), says("Levels of the octaves.")
    ]
    attack_s: Annotated[Rise, says("Time from silence to full level.")] = 0.005
    t60_s: Annotated[
        tuple[T60, ...],
        Meta(max_length=OCTAVES),
        says("Time to fall by 60 dB: one, or one per octave; none: sustained."),
    ] = ()
    delay_s: Annotated[Seconds, says("Delay of the onset after the note's.")] = 0.0
    rise_exponent: Annotated[float, ranged(1, 6), says("Power of the attack's curve; above 1 it swells.")] = (
        1.0
    )
    opening: Annotated[
        float,
        ranged(0, 0.2),
        says("Delay of each octave above 1 kHz after the one below it, as a share of the attack."),
    ] = 0.0
    velocity_exponent: Annotated[Exponent, says("Exponent by which the level grows with velocity.")] = 1.0
    intensity_db: Annotated[Tilt, says("Change of level from intensity 0 to 1.")] = 0.0
    gust_db: Annotated[Swing, says("Depth of the gusts to either side.")] = 0.0
    gust_hz: Annotated[Rate, says("Rate of the gusts, up to half an octave off by chance.")] = 0.06
    gust_step: Annotated[Share, says("Independence of the bands' gusts; 0: all together.")] = 0.0
    gust_octave_db: Annotated[
        float, ranged(-6, 6, "dB"), says("Increase of the gusts' depth per octave above 250 Hz.")
    ] = 0.0
    gust_lag_s: Annotated[float, ranged(-5, 5, "s"), says("Delay of the gusts per octave.")] = 0.0
    follows_pitch: Annotated[bool, says("Whether the octaves move with the pitch, relative to middle C.")] = (
        False
    )
    pan: Annotated[Pan, says("Position from left (-1) to right (1).")] = 0.0


class Grains(_Part, frozen=True):
    """A rain of short tones while the note sounds; ``semitones`` or ``hz`` gives their pitches."""

    rate_hz: Annotated[
        float, ranged(0.1, 30, "1/s", "exponential"), says("Grains per second at intensity 0.5.")
    ]
    level_db: Annotated[Db, says("Mean level of a grain.")]
    t60_s: Annotated[tuple[T60, T60], says("Shortest and longest time to fall by 60 dB.")]
    semitones: Annotated[tuple[Semitones, ...], says("Intervals above the note, all equally likely.")] = ()
    hz: Annotated[tuple[Hertz, Hertz] | None, says("Instead: lowest and highest frequency.")] = None
    intensity_octaves: Annotated[Octaves, says("Doublings of the rate from intensity 0 to 1.")] = 0.0
    level_spread_db: Annotated[Swing, says("Standard deviation of a grain's level.")] = 3.0
    harmonics_db: Annotated[Levels, Meta(min_length=1), says("Levels of a grain's harmonics.")] = (0.0,)
    attack_share: Annotated[Share, says("Attack as a share of the T60; 0: struck.")] = 0.0
    rise_cents: Annotated[Cents, says("Rise of the pitch while a grain sounds.")] = 0.0
    pan: Annotated[Share, says("Greatest distance from the middle, to either side.")] = 0.9


class Patch(_Part, frozen=True):
    """One instrument."""

    description: Annotated[str, says("What it sounds like.")]
    family: Annotated[Family, says("Role in which it is played.")]
    level_db: Annotated[Db, says("Level before calibration.")]
    low: Annotated[Midi, says("Lowest note that it is meant for.")]
    high: Annotated[Midi, says("Highest note that it is meant for.")]
    partials: Annotated[Harmonics | Modes | None, says("Partials that follow the pitch.")] = None
    envelope: Annotated[Envelope, says("Attack and release of the partials; release of sustained noise.")] = (
        Envelope(attack_s=0.01, release_s=0.5)
    )
    decay: Annotated[
        Decay | None, says("Decay of the partials; none: sustained, but for modes with a t60_s.")
    ] = None
    filter: Annotated[Filter | None, says("Low-pass over the partials.")] = None
    morph: Annotated[Morph | None, says("Spectra that are added to the partials' levels.")] = None
    unison: Annotated[Unison, says("Copies of the partials.")] = Unison()
    motion: Annotated[Motion, says("Movement while a note sounds.")] = Motion()
    resonances: Annotated[tuple[Resonance, ...], says("Formants of the body.")] = ()
    body: Annotated[tuple[BodyMode, ...], says("Modes of the body.")] = ()
    noises: Annotated[tuple[Noise, ...], says("Noise: breath, bow, hammer, weather.")] = ()
    grains: Annotated[Grains | None, says("Short tones: drops, dust, points of light.")] = None
    fixed_hz: Annotated[Hertz | None, says("Frequency at which it sounds, whatever the note.")] = None
    brightness_db: Annotated[
        float, ranged(0, 24, "dB"), says("Gain per octave above the fundamental from brightness 0 to 1.")
    ] = 0.0
    velocity_exponent: Annotated[Exponent, says("Exponent by which the level grows with velocity.")] = 1.2
    keytrack_db: Annotated[
        float, ranged(-12, 12, "dB/octave"), says("Change of level per octave above middle C.")
    ] = 0.0
    pan_by_pitch: Annotated[
        float, ranged(0, 2), says("Spread of the notes by pitch: low ones left, high ones right.")
    ] = 0.0
    partial_pan: Annotated[Share, says("Greatest random distance of each partial to either side.")] = 0.0
    mono_below_hz: Annotated[Hertz, says("Below about this frequency partials stay in the middle.")] = 160.0
    trim_db: Annotated[
        float, ranged(-40, 40, "dB"), says("Gain that brings the patch to the common loudness; calibrated.")
    ] = 0.0
