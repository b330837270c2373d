"""Patches: what a voice is made of, as data.

A patch describes its partials relative to the fundamental and how they begin, move and end. Levels are dB,
rates dB a second, times seconds. The recipes are measurements of real instruments (sources beside each).
"""

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Unison:
    """Copies of the spectrum: ``detune_cents``, ``weight`` and ``pan`` of each, for ``partials`` partials."""

    detune_cents: tuple[float, ...] = (0.0,)
    weight: tuple[float, ...] = (1.0,)
    pan: tuple[float, ...] = (0.0,)


@dataclass(frozen=True, slots=True)
class Patch:
    """One instrument."""

    name: str
    description: str
    level_db: float
    ratios: tuple[float, ...]
    levels_db: tuple[float, ...]
    attack_s: float
    release_s: float
    unison: Unison = field(default_factory=Unison)
    # Later partials start this much later each, as they do when a string or a pipe begins to speak.
    attack_step_s: float = 0.0
    # At brightness 0.5; falls and rises 1.3 octaves to brightness 0 and 1. None: the partials as they are.
    cutoff_hz: float | None = None
    fast_db_s: tuple[float, ...] = (0.0,)
    slow_db_s: tuple[float, ...] = (0.0,)
    slow_share_db: float = -200.0
    # Decays are given at middle C and scale with (frequency / 262 Hz) to this power.
    decay_tracking: float = 0.0
    inharmonicity: float = 0.0
    wander_db: float = 0.0
    wander_hz: float = 0.1
    # How much quieter the partials may be drawn from note to note: nothing that is struck repeats exactly.
    spread_db: float = 0.0
    velocity_exponent: float = 1.2


def _power_law(count: int, exponent: float) -> tuple[float, ...]:
    from math import log10  # noqa: PLC0415

    return tuple(-20 * exponent * log10(n) for n in range(1, count + 1))


def _harmonics(count: int) -> tuple[float, ...]:
    return tuple(float(n) for n in range(1, count + 1))


def _decays(*t60_s: float) -> tuple[float, ...]:
    return tuple(60 / t for t in t60_s)


PATCHES: Final = {
    patch.name: patch
    for patch in (
        Patch(
            name="warm_pad",
            description="Detuned strings of a soft saw, opening slowly.",
            level_db=-17.0,
            ratios=_harmonics(16),
            levels_db=_power_law(16, 1.25),
            # Unequal weights: equal pairs would beat to silence.
            unison=Unison(
                (-8.0, -3.6, 0.0, 3.9, 8.7), (0.42, 0.6, 1.0, 0.6, 0.42), (-0.85, 0.5, 0.0, -0.5, 0.85)
            ),
            attack_s=2.4,
            attack_step_s=0.07,
            release_s=5.0,
            cutoff_hz=1300.0,
            wander_db=1.6,
            wander_hz=0.11,
        ),
        Patch(
            name="drone",
            description="A low breathing tone in the middle of the room.",
            level_db=-15.0,
            ratios=_harmonics(12),
            levels_db=(0, -3, -7, -9, -12, -14, -17, -19, -22, -24, -27, -30),
            unison=Unison((0.0, 3.4), (1.0, 0.3), (0.0, 0.5)),
            attack_s=4.0,
            release_s=8.0,
            cutoff_hz=700.0,
            wander_db=1.5,
            wander_hz=0.065,
        ),
        Patch(
            name="felt_keys",
            description="A felt piano: stretched partials, two-stage decay.",
            level_db=-8.0,
            ratios=_harmonics(14),
            levels_db=(0, -7, -11, -15, -19, -23, -28, -31, -35, -39, -43, -46, -50, -54),
            attack_s=0.012,
            release_s=0.6,
            cutoff_hz=1500.0,
            fast_db_s=tuple(18.0 + 1.8 * n for n in range(14)),
            slow_db_s=tuple(4.2 + 0.34 * n for n in range(14)),
            slow_share_db=-13.0,
            decay_tracking=0.5,
            inharmonicity=3.5e-4,
            spread_db=2.0,
            unison=Unison((-0.6, 0.7), (0.8, 0.25), (-0.15, 0.25)),
        ),
        Patch(
            name="bell",
            description="A church bell, far away: hum, prime, tierce, quint, nominal and above.",
            level_db=-18.0,
            ratios=(0.5, 1.0, 1.25, 1.5, 2.0, 2.5, 2.67, 3.0, 4.0, 5.33),
            levels_db=(-7, -3, -4, -9, 0, -13, -14, -10, -14, -20),
            unison=Unison((-0.9, 1.1), (0.8, 0.2), (-0.6, 0.6)),
            attack_s=0.008,
            release_s=3.0,
            cutoff_hz=3000.0,
            fast_db_s=_decays(9.0, 5.4, 3.8, 2.4, 2.2, 1.2, 1.1, 0.75, 0.7, 0.45),
            slow_db_s=_decays(12.0, 8.0, 6.0, 4.0, 3.6, 2.0, 1.8, 1.4, 1.2, 0.8),
            slow_share_db=-9.0,
            decay_tracking=0.4,
            wander_db=0.5,
            wander_hz=0.4,
            spread_db=2.0,
        ),
    )
}
