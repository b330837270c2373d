"""The score as listeners see it: current and upcoming events, collected from the log's batches."""

from auralis.score.events import Automation, Batch, Event, Note, Patch, Revise
from services.gateway.protocol import ScoreMessage


class Timeline:
    """The events of one channel from the present on."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._until_frame = 0
        self._starts: list[tuple[int, int]] = []  # (revision, from_frame) of the first batch of a revision

    def apply(self, batch: Batch) -> ScoreMessage:
        """Take in one batch; returns the message that announces it to listeners."""
        if batch.revises:
            self._events = [event for event in self._events if event.at_frame < batch.from_frame]
        shown = tuple(event for event in batch.events if not isinstance(event, Revise | Patch))
        self._events.extend(shown)
        self._until_frame = batch.until_frame
        if not self._starts or batch.revision > self._starts[-1][0]:
            self._starts.append((batch.revision, batch.from_frame))
        revise_from = batch.from_frame if batch.revises else None
        return ScoreMessage(revise_from, batch.from_frame, batch.until_frame, shown)

    def revised_from(self, revision: int) -> int | None:
        """The first frame whose score takes control change ``revision`` into account, or None so far."""
        return next((frame for composed, frame in self._starts if composed >= revision), None)

    def snapshot(self, now_frame: int) -> ScoreMessage:
        """Everything that sounds at ``now_frame`` or comes later, for a client that knows nothing yet."""
        events = tuple(self._present(now_frame))
        from_frame = min((event.at_frame for event in events), default=now_frame)
        return ScoreMessage(from_frame, from_frame, max(self._until_frame, from_frame), events)

    def forget(self, before_frame: int) -> None:
        """Drop the events that are over by ``before_frame``."""
        self._events = self._present(before_frame)
        self._starts = self._starts[-100:]

    def _present(self, frame: int) -> list[Event]:
        in_force = self._in_force(frame)
        return [
            event
            for event in self._events
            if event.at_frame >= frame
            or (isinstance(event, Note) and event.release_frame > frame)
            or id(event) in in_force
        ]

    def _in_force(self, frame: int) -> set[int]:
        """The last chord, section and tempo before ``frame``, and each parameter's last ramp."""
        last: dict[str, Event] = {}
        for event in self._events:
            if event.at_frame < frame and not isinstance(event, Note):
                kind = event.parameter if isinstance(event, Automation) else type(event).__name__
                if kind not in last or last[kind].at_frame <= event.at_frame:
                    last[kind] = event
        return {id(event) for event in last.values()}
