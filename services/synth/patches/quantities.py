"""The kinds of numbers in patches, each with its unit, range and curve."""

from typing import Annotated, Any, Literal

from msgspec import Meta

# How a control for the number moves: linearly, or evenly in octaves.
Curve = Literal["linear", "exponential"]


def ranged(low: float, high: float, unit: str = "", curve: Curve = "linear") -> Any:
    """A range with its unit and curve."""
    return Meta(ge=low, le=high, extra={"unit": unit, "curve": curve})


def says(description: str) -> Any:
    """A description of a parameter, in one line."""
    return Meta(description=description)


Db = Annotated[float, ranged(-120, 24, "dB")]
Tilt = Annotated[float, ranged(-24, 24, "dB")]
Swing = Annotated[float, ranged(0, 24, "dB")]
SwingStep = Annotated[float, ranged(0, 6, "dB")]
Share = Annotated[float, ranged(0, 1)]
Shift = Annotated[float, ranged(-1, 1)]
Pan = Annotated[float, ranged(-1, 1)]
Ratio = Annotated[float, ranged(0.01, 64, "", "exponential")]
Hertz = Annotated[float, ranged(10, 24_000, "Hz", "exponential")]
Offset = Annotated[float, ranged(-50, 50, "Hz")]
Rate = Annotated[float, ranged(0, 20, "Hz", "exponential")]
Seconds = Annotated[float, ranged(0, 60, "s", "exponential")]
Rise = Annotated[float, ranged(0.001, 30, "s", "exponential")]
Fall = Annotated[float, ranged(0.01, 30, "s", "exponential")]
T60 = Annotated[float, ranged(0.005, 60, "s", "exponential")]
DecayRate = Annotated[float, ranged(0, 4000, "dB/s", "exponential")]
Cents = Annotated[float, ranged(-2400, 2400, "cent")]
Semitones = Annotated[float, ranged(-48, 60, "semitone")]
Octaves = Annotated[float, ranged(-6, 6, "octave")]
Exponent = Annotated[float, ranged(-2, 4)]
Stiffness = Annotated[float, ranged(0, 0.02)]
Midi = Annotated[int, ranged(0, 127, "MIDI")]
Count = Annotated[int, ranged(1, 64)]
