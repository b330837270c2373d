"""The sheet on which one beat is written: turns musical positions into frames and gives every note its id."""

from typing import NamedTuple

from auralis.score.events import Event, Layer, Note
from services.composer.scene import Scene
from services.composer.state import EngineState


class Sound(NamedTuple):
    """A note before it is placed.

    ``delay`` (from the start of the beat) and ``length`` are in frames, ``velocity`` in thousandths, ``pan``
    in hundredths (left is negative). ``patch`` is given where a layer has several players.
    """

    layer: Layer
    delay: int
    length: int
    pitch: int
    velocity: int
    pan: int = 0
    patch: str = ""


class Draft:
    """The events of the beat ``[start, end)``, in frames."""

    def __init__(self, state: EngineState, scene: Scene, sample_rate_hz: int) -> None:
        self.rate = sample_rate_hz
        self._scene = scene
        self._origin = state.origin
        self.tempo = state.tempo
        self.start = state.frame
        self.end = state.frame + state.tempo.beat_frames(sample_rate_hz)
        self.next_note = state.next_note
        self._events: list[Event] = []

    def ms(self, milliseconds: int) -> int:
        """Milliseconds as frames."""
        return milliseconds * self.rate // 1000

    def ticks(self, ticks: int) -> int:
        """Frames from the start of the beat to ``ticks`` later, whatever the tempo does in between."""
        return self.tempo.frames_to(ticks, self.rate)

    def until(self, second: int) -> int:
        """Frames from the start of the beat to ``second`` of the piece; negative if it is past."""
        return self._origin + second * self.rate - self.start

    def mark(self, event: Event) -> None:
        """Add an event that is not a note."""
        self._events.append(event)

    def play(self, sound: Sound) -> None:
        """Add a note; its onset stays within the beat however late the player is."""
        self._events.append(
            Note(
                at_frame=min(self.start + max(0, sound.delay), self.end - 1),
                id=self.next_note,
                duration_frames=max(1, sound.length),
                pitch=float(sound.pitch),
                velocity=max(0, min(1000, sound.velocity)) / 1000,
                patch=sound.patch or self._scene.player(sound.layer),
                layer=sound.layer,
                pan=max(-100, min(100, sound.pan)) / 100,
            )
        )
        self.next_note += 1

    @property
    def events(self) -> tuple[Event, ...]:
        """The events added, in order of frame; marks come before the notes of their frame."""
        return tuple(sorted(self._events, key=lambda event: event.at_frame))
