"""The score built from the log, in every version that a chunk may have been rendered from.

Nothing here uses Redis or a clock: the log's reader applies entries, the renderer reads views. Each event
records which entry added it and which one dropped it, so the score as of any earlier entry is available
without reading the log again; a chunk that follows one from an older score needs both versions.
"""

import itertools
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, TypeVar

from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Automation, Batch, Chord, Event, Note, Section, Space, Tempo

# The duration of a gate that a later entry will close: 93 years at 48 kHz, exact in a double.
OPEN_END: Final = 1 << 47
HOLD_PATCH: Final = "warm_pad"
HOLD_VELOCITY: Final = 0.5
# For chunks ahead, chunks being rendered again and past chunks, with one version per beat.
_KEPT_VIEWS: Final = 64

E = TypeVar("E", bound=Event)
# Events in force from their frame until the next one of their kind.
Mark = Chord | Tempo | Space | Section
M = TypeVar("M", Chord, Tempo, Space, Section)


@dataclass(slots=True)
class _Recorded(Generic[E]):
    """An event and the entries that added and dropped it."""

    event: E
    added: EntryId
    dropped: EntryId | None = None

    def visible(self, version: EntryId) -> bool:
        return self.added <= version and (self.dropped is None or self.dropped > version)

    @property
    def at_frame(self) -> int:
        return self.event.at_frame


_Standing = _Recorded[Note] | _Recorded[Mark] | _Recorded[Automation]
_by_frame: Final = attrgetter("at_frame")


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
        self._marks: list[_Recorded[Mark]] = []
        self._automations: list[_Recorded[Automation]] = []
        # The events in the newest version, by onset: an hour's log is applied quickly only if no entry has to
        # scan all events before it.
        self._standing: list[_Standing] = []
        self._views: dict[EntryId, ScoreView] = {}

    @property
    def last_id(self) -> EntryId:
        """The newest entry applied, or :data:`NO_ENTRY`."""
        return self._entries[-1].id if self._entries else NO_ENTRY

    @property
    def from_frame(self) -> int:
        """The first frame written by the entries that are still kept."""
        return min((entry.from_frame for entry in self._entries), default=0)

    @property
    def until_frame(self) -> int:
        """The frame up to which the score is written."""
        return self._entries[-1].until_frame if self._entries else 0

    @property
    def revision(self) -> int:
        """The newest control change that the score takes into account."""
        return self._entries[-1].revision if self._entries else 0

    def apply(self, entry_id: EntryId, batch: Batch) -> None:
        """Add one entry of the log; entries come in the log's order, and one already applied is ignored."""
        if entry_id <= self.last_id:
            return
        if batch.revises:
            self._drop_from(batch.from_frame, entry_id)
        self._close_hold(batch.from_frame, entry_id)
        for event in batch.events:
            self._record(event, entry_id)
        self._entries.append(_Entry(entry_id, batch.from_frame, batch.until_frame, batch.revision))

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

    def until_of(self, version: EntryId) -> int:
        """The frame up to which the score as of ``version`` is written."""
        return next((entry.until_frame for entry in reversed(self._entries) if entry.id <= version), 0)

    def view(self, version: EntryId | None = None) -> "ScoreView":
        """The score as of entry ``version`` (default: the newest)."""
        wanted = self.last_id if version is None else version
        found = self._views.get(wanted)
        if found is None:
            found = ScoreView(self, wanted)
            if wanted <= self.last_id:  # otherwise entries that belong to it may still arrive
                self._views[wanted] = found
                if len(self._views) > _KEPT_VIEWS:
                    del self._views[next(iter(self._views))]
        return found

    def forget(self, before_frame: int, oldest: EntryId) -> None:
        """Drop what no view from ``oldest`` on shows at or after ``before_frame``.

        The entry, marks and automations in force at ``before_frame`` stay. The caller leaves room for the
        longest release, and no later entry begins before ``before_frame``.
        """
        self._views.clear()
        self._notes = [
            r for r in self._notes if r.event.release_frame > before_frame and not _gone(r, oldest)
        ]
        self._marks = _marks_from(self._marks, before_frame, oldest)
        self._automations = _ramps_from(self._automations, before_frame, oldest)
        kept = [e for e in self._entries[:-1] if e.until_frame > before_frame or e.id >= oldest]
        self._entries = kept + self._entries[-1:]
        everything: list[_Standing] = [*self._notes, *self._marks, *self._automations]
        self._standing = sorted((r for r in everything if r.dropped is None), key=_by_frame)

    def _drop_from(self, frame: int, entry_id: EntryId) -> None:
        start = bisect_left(self._standing, frame, key=_by_frame)
        for record in self._standing[start:]:
            record.dropped = entry_id
        del self._standing[start:]

    def _record(self, event: Event, entry_id: EntryId) -> None:
        """Record an event that views return; a ``patch`` is none, it only informs readers of the log."""
        record: _Standing
        match event:
            case Note():
                self._notes.append(record := _Recorded(event, entry_id))
            case Chord() | Tempo() | Space() | Section():
                self._marks.append(record := _Recorded(event, entry_id))
            case Automation():
                self._automations.append(record := _Recorded(event, entry_id))
            case _:
                return
        insort(self._standing, record, key=_by_frame)

    def _close_hold(self, frame: int, entry_id: EntryId) -> None:
        """If the score had run out before ``frame``, end the chord that was held since then at ``frame``."""
        held_from = self.until_frame
        if self._entries and frame > held_from:
            chord = self.view().in_force(Chord, held_from)
            for note in _held(chord, held_from, frame - held_from):
                self._record(note, entry_id)


@dataclass(frozen=True, eq=False)
class ScoreView:
    """The score as of one entry of the log; a chunk's audio is a function of it.

    No later entry changes it, so its events are sorted only once.
    """

    score: Score
    version: EntryId

    def notes(self, start_frame: int, end_frame: int) -> list[Note]:
        """Notes that begin before ``end_frame`` and whose gate closes after ``start_frame``, by onset and id.

        To include notes that still ring, pass a ``start_frame`` earlier by the longest release.
        """
        begun = bisect_left(self._notes, end_frame, key=_by_frame)
        ringing = itertools.compress(self._notes, map(start_frame.__lt__, self._releases[:begun]))
        return list(ringing)

    def onsets(self, start_frame: int, end_frame: int) -> list[Note]:
        """Notes that begin within ``[start_frame, end_frame)``, by onset and id."""
        first, last = (bisect_left(self._notes, frame, key=_by_frame) for frame in (start_frame, end_frame))
        return self._notes[first:last]

    def in_force(self, kind: type[M], frame: int) -> M | None:
        """The chord, tempo, space or section in force at ``frame``: the last one that has begun."""
        marks = self._of(kind)
        begun = bisect_right(marks, frame, key=_by_frame)
        return marks[begun - 1] if begun else None

    def marks(self, kind: type[M], start_frame: int, end_frame: int) -> list[M]:
        """The last mark before ``start_frame``, then those within ``[start_frame, end_frame)``, by onset."""
        marks = self._of(kind)
        first, last = (bisect_left(marks, frame, key=_by_frame) for frame in (start_frame, end_frame))
        return marks[max(first - 1, 0) : last]

    def automation(self, parameter: str) -> list[Automation]:
        """The ramps of one parameter, by onset."""
        return self._ramps.get(parameter, [])

    @cached_property
    def _notes(self) -> list[Note]:
        notes = [*self._visible(self.score._notes), *self._open_hold()]  # noqa: SLF001  a view is the score's own window
        return sorted(notes, key=lambda note: (note.at_frame, note.id))

    def _open_hold(self) -> Iterator[Note]:
        """The last chord, held without end in case no further entry comes."""
        until = self.score.until_of(self.version)
        return _held(self.in_force(Chord, until), until, OPEN_END)

    @cached_property
    def _releases(self) -> list[int]:
        return [note.release_frame for note in self._notes]

    @cached_property
    def _marks(self) -> list[Mark]:
        return sorted(self._visible(self.score._marks), key=_by_frame)  # noqa: SLF001

    @cached_property
    def _by_kind(self) -> dict[type[Mark], list[Any]]:
        return {}

    def _of(self, kind: type[M]) -> list[M]:
        """All marks of one kind, by onset."""
        found: list[M] | None = self._by_kind.get(kind)
        if found is None:
            found = self._by_kind[kind] = [mark for mark in self._marks if isinstance(mark, kind)]
        return found

    @cached_property
    def _ramps(self) -> dict[str, list[Automation]]:
        """The ramps of each parameter, by onset."""
        found = defaultdict[str, list[Automation]](list)
        for ramp in sorted(self._visible(self.score._automations), key=_by_frame):  # noqa: SLF001
            found[ramp.parameter].append(ramp)
        return found

    def _visible(self, records: list[_Recorded[E]]) -> Iterator[E]:
        return (record.event for record in records if record.visible(self.version))


def _held(chord: Chord | None, frame: int, duration: int) -> Iterator[Note]:
    for index, pitch in enumerate(chord.pitches if chord else ()):
        yield Note(
            at_frame=frame,
            id=-(frame * 16 + index + 1),
            duration_frames=duration,
            pitch=pitch,
            velocity=HOLD_VELOCITY,
            patch=HOLD_PATCH,
            layer="pad",
        )


def _gone(record: _Recorded[E], oldest: EntryId) -> bool:
    return record.dropped is not None and record.dropped <= oldest


def _settled(record: _Recorded[E], oldest: EntryId) -> bool:
    """Whether every view from ``oldest`` on shows the event."""
    return record.dropped is None and record.added <= oldest


def _marks_from(records: list[_Recorded[Mark]], frame: int, oldest: EntryId) -> list[_Recorded[Mark]]:
    """The last mark of each kind that began before ``frame``, and all marks after it."""
    starts: dict[type[Mark], int] = {}
    for record in records:
        if record.at_frame < frame and _settled(record, oldest):
            kind = type(record.event)
            starts[kind] = max(starts.get(kind, 0), record.at_frame)
    return [r for r in records if r.at_frame >= starts.get(type(r.event), 0) and not _gone(r, oldest)]


def _ramps_from(
    records: list[_Recorded[Automation]], frame: int, oldest: EntryId
) -> list[_Recorded[Automation]]:
    """Each parameter's last ramp that ended before ``frame`` and before the next ramp, and all after it."""
    kept = sorted((r for r in records if not _gone(r, oldest)), key=_by_frame)
    starts: dict[str, int] = {}
    following: dict[str, int] = {}
    for record in reversed(kept):
        ramp = record.event
        over = ramp.at_frame + ramp.ramp_frames <= min(frame - 1, following.get(ramp.parameter, frame))
        if over and _settled(record, oldest):
            starts.setdefault(ramp.parameter, ramp.at_frame)
        following[ramp.parameter] = ramp.at_frame
    return [r for r in kept if r.at_frame >= starts.get(r.event.parameter, 0)]
