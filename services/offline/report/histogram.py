"""How long each pitch class sounds, from the tonic up."""

from collections.abc import Sequence

from auralis.keys import Key
from auralis.midi.names import spelled
from services.composer.scale import scale_of
from services.offline.report import svg

_IN_KEY, _OUTSIDE = "#4c78a8", "#d83a3a"


def histogram(seconds: Sequence[float], key: Key | None) -> svg.Picture:
    """One bar per pitch class; those outside ``key`` in another colour."""
    width, height, bar = 420.0, 150.0, 34.0
    tonic = 0 if key is None else key.tonic
    scale = set(range(12)) if key is None else set(scale_of(key))
    total, most = sum(seconds) or 1.0, max(seconds, default=0.0) or 1.0
    elements = [svg.line(0, height, 12 * bar, height, stroke="#999")]
    for place in range(12):
        pitch_class = (tonic + place) % 12
        tall = seconds[pitch_class] / most * (height - 20)
        colour = _IN_KEY if pitch_class in scale else _OUTSIDE
        middle = place * bar + bar / 2
        elements.append(svg.rect(place * bar + 3, height - tall, bar - 6, tall, fill=colour))
        share = f"{100 * seconds[pitch_class] / total:.0f}%"
        elements.append(svg.text(middle, height - tall - 4, share, anchor="middle", class_="small"))
        elements.append(svg.text(middle, height + 15, spelled(pitch_class, key), anchor="middle"))
    return svg.Picture(width, height + 22, elements, "Pitch classes by duration")
