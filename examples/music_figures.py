"""Prints the figures of docs/music.md: what thirty minutes of five seeds in both modes measure.

python examples/music_figures.py
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean

sys.path.insert(0, str(Path(__file__).parents[1]))

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.keys import parse_key
from services.composer.plan import begin, extend
from tests.gates import music
from tests.gates.music import Music

FORMAT = AudioFormat()
BEAT = FORMAT.sample_rate_hz  # at 60 BPM
MINUTES = 30
SEEDS = (1, 2, 3, 4, 5)
KEYS = ("A minor", "C major")
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
LAYERS = ("pad", "choir", "bells", "melody", "answer", "percussion")

WHOLE: dict[str, Callable[[Music], float]] = {
    "share of time outside the key": music.out_of_key,
    "semitones a voice above the bass moves": lambda piece: mean(music.voice_moves(piece.chords)),
    "bits a chord, of 100": lambda piece: music.chord_entropy([c.degree for c in piece.chords[:101]]),
    "tonal centroid step": lambda piece: music.centroid_step(piece.chords),
    "motif recurrence": music.recurrence,
    "repeats of eight bars": music.repeats,
}
TEN_MINUTES: dict[str, Callable[[Music], float]] = {
    "melody on chord tones": lambda part: _share(part, "chord"),
    "on other scale tones": lambda part: _share(part, "scale"),
    "on chromatic tones": lambda part: _share(part, "chromatic"),
    "pitch-class entropy, bits": lambda part: music.pitch_class_entropy(part.line("melody")),
    "duration entropy, bits": lambda part: music.entropy(Counter(_lengths(part)).values()),
    "nPVI": lambda part: music.npvi(_lengths(part)),
    "four-bar entropy, bits": lambda part: mean(music.bar_entropies(part.line("melody"), BEAT)),
    "groove similarity": lambda part: music.groove(part.line("melody"), BEAT),
}


def composed(seed: int, key: str, intensity: float) -> Music:
    """Half an hour under unchanging controls."""
    plan = begin(seed, 0, Controls(key=key, intensity=intensity), 0)
    _, batch = extend(plan, FORMAT.frames(60 * MINUTES), FORMAT)
    return Music(batch.events, parse_key(key), BEAT)


def windows(piece: Music) -> list[Music]:
    """Ten minutes each; those in which the melody sings for a minute and a half."""
    parts = [piece.between(at * 600 * BEAT, (at + 1) * 600 * BEAT) for at in range(MINUTES // 10)]
    return [part for part in parts if sum(n.duration_frames for n in part.line("melody")) > 90 * BEAT]


def _share(part: Music, kind: str) -> float:
    kinds = music.tone_kinds(part)
    return kinds[kind] / kinds.total()


def _lengths(part: Music) -> list[int]:
    return music.lengths(part.line("melody"), BEAT)


def _row(name: str, values: list[float]) -> str:
    return f"| {name} | {min(values):.3g} | {mean(values):.3g} | {max(values):.3g} |"


def main() -> None:
    """Print both tables."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    pieces = [composed(seed, key, 0.5) for seed in SEEDS for key in KEYS]
    parts = [part for piece in pieces for part in windows(piece)]
    print("| figure | least | mean | most |\n|---|---|---|---|")
    for name, measure in WHOLE.items():
        print(_row(name, [measure(piece) for piece in pieces]))
    for name, measure in TEN_MINUTES.items():
        print(_row(name, [measure(part) for part in parts]))
    steps = [step for piece in pieces for step in music.intervals(piece.line("melody"), BEAT)]
    print(_row("intervals from those of songs, bits", [music.interval_divergence(steps)]))
    print("\n| notes a minute | " + " | ".join(f"{level:g}" for level in LEVELS) + " |")
    print("|---" * (1 + len(LEVELS)) + "|")
    by_level = [[composed(seed, key, level) for seed in SEEDS for key in KEYS] for level in LEVELS]
    for layer in LAYERS:
        rates = (mean(len(piece.line(layer)) / MINUTES for piece in found) for found in by_level)
        print(f"| {layer} | " + " | ".join(f"{rate:.1f}" for rate in rates) + " |")
    lengths = (mean(60 * MINUTES / len(piece.chords) for piece in found) for found in by_level)
    print("| seconds a chord | " + " | ".join(f"{length:.0f}" for length in lengths) + " |")


if __name__ == "__main__":
    main()
