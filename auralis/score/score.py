"""The score that reading the log gives, in every version that a chunk may have been rendered from.

Nothing here knows Redis or a clock: the log's reader applies entries, the renderer reads views. An event
remembers which entry added it and which one dropped it, so the score as of any earlier entry can be seen
without reading the log again; a chunk that follows one from an older score needs both.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Generic, NamedTuple, TypeVar

from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Automation, Batch, Chord, Event, Note, Patch, Section, Tempo

# A gate that is closed by a later entry; a century at 48 kHz stays exact in a double.
OPEN_END: Final = 1 << 47
HOLD_PATCH: Final = "warm_pad"
HOLD_VELOCITY: Final = 0.5

E = TypeVar("E", bound=Event)


@dataclass(slots=True)
class _Recorded(Generic[E]):
    """An event and the entries that added and dropped it."""

    event: E
    added: EntryId
    dropped: EntryId | None = None

    def visible(self, version: EntryId) -> bool:
        return self.added <= version and (self.dropped is None or self.dropped > version)


class _Entry(NamedTuple):
    id: EntryId
    from_frame: int
    until_frame: int
    revision: int


class Score:
    """All versions of one channel's score that chunks in the ring may refer to."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._notes: list[_Recorded[Note]] = []
        self._chords: list[_Recorded[Chord]] = []
        self._automations: list[_Recorded[Automation]] = []
        self._others: list[_Recorded[Tempo | Section | Patch]] = []

    @property
    def last_id(self) -> EntryId:
        """The newest entry applied, or :data:`NO_ENTRY`."""
        return self._entries[-1].id if self._entries else NO_ENTRY

    @property
    def from_frame(self) -> int:
        """From where on the entries that are still known write the score."""
        return min((entry.from_frame for entry in self._entries), default=0)

    @property
    def until_frame(self) -> int:
        """Up to where the score is written."""
        return self._entries[-1].until_frame if self._entries else 0

    @property
    def revision(self) -> int:
        """The newest control change that the score takes into account."""
        return self._entries[-1].revision if self._entries else 0

    def apply(self, entry_id: EntryId, batch: Batch) -> None:
        """Add one entry of the log; entries come in the log's order, one already applied is passed over."""
        if entry_id <= self.last_id:
            return
        if batch.revises:
            self._drop_from(batch.from_frame, entry_id)
        self._close_hold(batch.from_frame, entry_id)
        for event in batch.events:
            self._record(event, entry_id)
        self._entries.append(_Entry(entry_id, batch.from_frame, batch.until_frame, batch.revision))
        self._open_hold(batch.until_frame, entry_id)

    def version_for(self, end_frame: int, newest: EntryId | None = None) -> EntryId:
        """The *canonical score id* of a chunk that ends before ``end_frame``.

        That is the newest entry (not newer than ``newest``) that can affect a frame of the chunk: later
        entries begin after it. :data:`NO_ENTRY` if there is none.
        """
        for entry in reversed(self._entries):
            if entry.from_frame < end_frame and (newest is None or entry.id <= newest):
                return entry.id
        return NO_ENTRY

    def revision_of(self, version: EntryId) -> int:
        """The control revision that the score as of ``version`` takes into account."""
        return next((entry.revision for entry in reversed(self._entries) if entry.id <= version), 0)

    def view(self, version: EntryId | None = None) -> "ScoreView":
        """The score as of entry ``version`` (default: the newest)."""
        return ScoreView(self, self.last_id if version is None else version)

    def forget(self, before_frame: int, oldest: EntryId) -> None:
        """Drop what no view from ``oldest`` on shows at or after ``before_frame``.

        The entry, chord and automation in force at ``before_frame`` stay. The caller leaves room for the
        longest release.
        """
        self._notes = [
            r for r in self._notes if r.event.release_frame > before_frame and not _gone(r, oldest)
        ]
        self._chords = _chords_from(self._chords, before_frame, oldest)
        self._automations = _ramps_from(self._automations, before_frame, oldest)
        self._others = [r for r in self._others if r.event.at_frame > before_frame and not _gone(r, oldest)]
        kept = [e for e in self._entries if e.until_frame > before_frame or e.id >= oldest]
        self._entries = kept or self._entries[-1:]

    def _drop_from(self, frame: int, entry_id: EntryId) -> None:
        for records in (self._notes, self._chords, self._automations, self._others):
            for record in records:
                if record.event.at_frame >= frame and record.dropped is None:
                    record.dropped = entry_id

    def _record(self, event: Event, entry_id: EntryId) -> None:
        match event:
            case Note():
                self._notes.append(_Recorded(event, entry_id))
            case Chord():
                self._chords.append(_Recorded(event, entry_id))
            case Automation():
                self._automations.append(_Recorded(event, entry_id))
            case Tempo() | Section() | Patch():
                self._others.append(_Recorded(event, entry_id))
            case _:
                pass  # revise has been carried out

    def _open_hold(self, frame: int, entry_id: EntryId) -> None:
        """If no further entry comes, the last chord sounds from ``frame`` on, without end."""
        self._notes.extend(_Recorded(note, entry_id) for note in self._held(frame, OPEN_END, entry_id))

    def _close_hold(self, frame: int, entry_id: EntryId) -> None:
        """The open hold ends at ``frame``, or is withdrawn if the score goes on without a gap."""
        until = self.until_frame
        held = [r for r in self._notes if r.event.duration_frames == OPEN_END and r.dropped is None]
        for record in held:
            record.dropped = entry_id
        if held and frame > until:
            closed = self._held(until, frame - until, self.last_id)
            self._notes.extend(_Recorded(note, entry_id) for note in closed)

    def _held(self, frame: int, duration_frames: int, version: EntryId) -> Iterator[Note]:
        chord = ScoreView(self, version).chord_at(frame)
        for index, pitch in enumerate(chord.pitches if chord else ()):
            yield Note(
                at_frame=frame,
                id=-(frame * 16 + index + 1),
                duration_frames=duration_frames,
                pitch=pitch,
                velocity=HOLD_VELOCITY,
                patch=HOLD_PATCH,
                layer="pad",
            )


@dataclass(frozen=True, slots=True)
class ScoreView:
    """The score as of one entry of the log; what :func:`render` is a function of."""

    score: Score
    version: EntryId

    def notes(self, start_frame: int, end_frame: int) -> list[Note]:
        """Notes that begin before ``end_frame`` and whose gate closes after ``start_frame``, by onset and id.

        Pass a ``start_frame`` that is earlier by the longest release to get those that still ring.
        """
        found = [
            record.event
            for record in self.score._notes  # noqa: SLF001  a view is the score's own window
            if record.event.at_frame < end_frame
            and record.event.release_frame > start_frame
            and record.visible(self.version)
        ]
        return sorted(found, key=lambda note: (note.at_frame, note.id))

    def chord_at(self, frame: int) -> Chord | None:
        """The chord in force at ``frame``; the last one announced, if that is earlier."""
        chords = [r.event for r in self.score._chords if r.visible(self.version)]  # noqa: SLF001
        return max((c for c in chords if c.at_frame <= frame), key=lambda chord: chord.at_frame, default=None)

    def automation(self, parameter: str) -> list[Automation]:
        """The ramps of one parameter in order of their beginning."""
        ramps = [
            r.event
            for r in self.score._automations  # noqa: SLF001
            if r.event.parameter == parameter and r.visible(self.version)
        ]
        return sorted(ramps, key=lambda ramp: ramp.at_frame)


def _gone(record: _Recorded[E], oldest: EntryId) -> bool:
    return record.dropped is not None and record.dropped <= oldest


def _settled(record: _Recorded[E], oldest: EntryId) -> bool:
    """Whether every view from ``oldest`` on shows the event."""
    return record.dropped is None and record.added <= oldest


def _chords_from(records: list[_Recorded[Chord]], frame: int, oldest: EntryId) -> list[_Recorded[Chord]]:
    in_force = [r.event.at_frame for r in records if r.event.at_frame <= frame and _settled(r, oldest)]
    start = max(in_force, default=0)
    return [r for r in records if r.event.at_frame >= start and not _gone(r, oldest)]


def _ramps_from(
    records: list[_Recorded[Automation]], frame: int, oldest: EntryId
) -> list[_Recorded[Automation]]:
    """Each parameter's last ramp that is over by ``frame``, and all that come after it."""
    starts: dict[str, int] = {}
    for record in records:
        ramp = record.event
        if ramp.at_frame + ramp.ramp_frames <= frame and _settled(record, oldest):
            starts[ramp.parameter] = max(starts.get(ramp.parameter, 0), ramp.at_frame)
    return [
        r for r in records if r.event.at_frame >= starts.get(r.event.parameter, 0) and not _gone(r, oldest)
    ]
