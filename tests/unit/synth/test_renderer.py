"""Audio as a pure function of score and chunk number."""

import random
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from auralis.audio import AudioFormat
from auralis.ring.versions import Versions
from auralis.score.entry_id import NO_ENTRY, EntryId
from auralis.score.events import Batch, Chord, Space
from auralis.score.score import Score
from services.synth.mix.tape import Take
from services.synth.renderer import Job, Renderer, seam
from tests.device import DEVICE
from tests.unit.synth.scores import FIRST, SECOND, lowered, note, phrase, revised, score_of

AUDIO = AudioFormat()
PLAIN = Versions(FIRST, FIRST)


def samples(pcm: bytes) -> NDArray[np.float64]:
    """PCM as ``[frame, channel]``, ±1."""
    return np.frombuffer(pcm, "<i2").reshape(-1, 2) / 32768


def rms_db(x: NDArray[np.float64]) -> float:
    """Level in dBFS."""
    return float(20 * np.log10(np.sqrt(np.mean(x**2)) + 1e-12))


def render(score: Score, seqs: list[int], versions: Versions = PLAIN, seed: int = 7) -> list[bytes]:
    """Chunks by a fresh renderer, one by one."""
    renderer = Renderer(AUDIO, DEVICE)
    return [renderer.render([Job(seed, score, seq, versions)])[0] for seq in seqs]


@pytest.fixture(scope="module")
def score() -> Score:
    """Six seconds of music."""
    return score_of(phrase(AUDIO), AUDIO)


@pytest.fixture(scope="module")
def streamed(score: Score) -> list[bytes]:
    """The chunks in their order, one at a time."""
    return render(score, list(range(70)))


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_bytes_do_not_depend_on_the_batch(score: Score, streamed: list[bytes], batch: int) -> None:
    """Chunks come out the same in batches of any size and order, from a fresh renderer."""
    order = list(range(70))
    random.Random(batch).shuffle(order)  # noqa: S311  an order, no secret
    renderer = Renderer(AUDIO, DEVICE)
    for first in range(0, 70, batch):
        seqs = order[first : first + batch]
        chunks = renderer.render([Job(7, score, seq, PLAIN) for seq in seqs])
        assert chunks == [streamed[seq] for seq in seqs]


def test_other_channels_in_the_batch_change_nothing(score: Score, streamed: list[bytes]) -> None:
    """A channel's bytes are the same, whatever is rendered along with it."""
    other = score_of([note(i, 0.0, 50 + i) for i in range(9)], AUDIO)
    mixed = Renderer(AUDIO, DEVICE).render(
        [Job(1, other, 3, PLAIN), Job(7, score, 12, PLAIN), Job(2, other, 3, PLAIN)]
    )
    assert mixed[1] == streamed[12]


def test_another_worker_takes_over_in_mid_note(score: Score, streamed: list[bytes]) -> None:
    """A fresh renderer that starts at any chunk goes on with the same bytes."""
    assert render(score, [31, 32, 33]) == streamed[31:34]


@pytest.mark.parametrize("most", [3, 8, 100])
@pytest.mark.parametrize("room", ["hall", "none"])
def test_a_worker_that_kept_up_lacks_only_the_next_chunk(
    most: int, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that kept up with a channel goes on with the same bytes as the worker that played it."""
    score, played = score_of([Space(0, room), *phrase(AUDIO)], AUDIO), list[int]()
    renderer, play = Renderer(AUDIO, DEVICE), Renderer._play

    def counted(renderer: Renderer, wanted: Sequence[tuple[int, Take]]) -> None:
        played.append(len(wanted))
        play(renderer, wanted)

    monkeypatch.setattr(Renderer, "_play", counted)
    for seq in (40, 41, 45, 50):
        while not renderer.keep_up(Job(7, score, seq, PLAIN), most):
            assert played[-1] <= most
    assert max(played) <= most
    played.clear()
    continued = [renderer.render([Job(7, score, seq, PLAIN)])[0] for seq in range(51, 56)]
    assert played[0] <= 4  # the limiter looks back at three
    assert played[1:] == [1, 1, 1, 1]
    assert continued == render(score, list(range(51, 56)))


def test_seeds_differ(score: Score, streamed: list[bytes]) -> None:
    """The same score in a channel with another seed is another performance."""
    assert render(score, [10], seed=8)[0] != streamed[10]


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_chunk_borders_are_no_rougher_than_interiors(rate: int) -> None:
    """No step across a border exceeds the largest one inside; there is sound and no offset."""
    audio = AudioFormat(rate)
    score, renderer = score_of(phrase(audio), audio), Renderer(audio, DEVICE)
    pcm = b"".join(renderer.render([Job(7, score, seq, PLAIN)])[0] for seq in range(60))
    x = samples(pcm)
    steps = np.abs(np.diff(x, axis=0)).max(axis=1)
    borders = np.arange(1, 60) * audio.frames_per_chunk - 1
    assert steps[borders].max() <= np.delete(steps, borders).max()
    assert -40 < rms_db(x) < -12
    assert abs(x.mean()) < 1e-3


def test_a_ring_that_starts_afresh_fades_in(score: Score, streamed: list[bytes]) -> None:
    """Without a predecessor the chunk begins from silence and is as usual after 20 ms."""
    anew = samples(render(score, [20], Versions(FIRST, NO_ENTRY))[0])
    plain = samples(streamed[20])
    assert np.abs(anew[0]).max() < 2e-3
    assert np.array_equal(anew[882:], plain[882:])


def test_a_revision_leaves_the_chunks_before_it_unchanged(score: Score, streamed: list[bytes]) -> None:
    """Chunks that end before the change are the same in both versions of the score."""
    changed = revised(score_of(phrase(AUDIO), AUDIO), AUDIO, 30, 1.0)
    assert render(changed, [29]) == [streamed[29]]
    assert render(changed, [30], Versions(SECOND, FIRST))[0] != streamed[30]


def test_a_change_on_time_needs_no_seam() -> None:
    """Where the predecessor ends before the revision begins, the chunk is rendered from its own score."""
    changed = revised(score_of(phrase(AUDIO), AUDIO), AUDIO, 30, 1.0)
    assert seam(Job(7, changed, 30, Versions(SECOND, FIRST)), AUDIO) is None
    assert seam(Job(7, changed, 31, Versions(SECOND, SECOND)), AUDIO) is None


@pytest.mark.parametrize(
    ("versions", "other"), [(Versions(SECOND, FIRST), FIRST), (Versions(FIRST, SECOND), SECOND)]
)
def test_two_scores_meet_in_a_crossfade(versions: Versions, other: EntryId) -> None:
    """A chunk after one of another score begins as that score would continue and ends as its own."""
    changed = revised(score_of(phrase(AUDIO), AUDIO), AUDIO, 30, 1.0)
    assert seam(Job(7, changed, 33, versions), AUDIO) == other
    seamed = samples(render(changed, [33], versions)[0])
    from_other = samples(render(changed, [33], Versions(other, other))[0])
    own = samples(render(changed, [33], Versions(versions.own, versions.own))[0])
    assert np.abs(seamed[:4] - from_other[:4]).max() < 1e-3
    assert np.array_equal(seamed[882:], own[882:])


def at_quality(score: Score, quality: float) -> list[bytes]:
    """Chunks 25 to 44; from chunk 30 on at ``quality``."""
    changed = lowered(score, AUDIO, 30, quality)
    return render(changed, list(range(25, 45)), Versions(SECOND, SECOND))


@pytest.mark.parametrize("quality", [0.75, 0.5, 0.25, 0.0])
def test_a_change_of_quality_does_not_click(streamed: list[bytes], quality: float) -> None:
    """What is left out fades over a chunk: the difference grows from nothing, no rougher than it is later."""
    whole = samples(b"".join(streamed[25:45]))
    less = samples(b"".join(at_quality(score_of(phrase(AUDIO), AUDIO), quality)))
    missing, seam = whole - less, 5 * AUDIO.frames_per_chunk
    # Everything before the chunk of the change is the same, apart from the limiter's look-ahead.
    assert not missing[: seam - 300].any()
    steps = np.abs(np.diff(missing, axis=0)).max(axis=1)
    fading, later = steps[seam - 300 : seam + AUDIO.frames_per_chunk], steps[seam + AUDIO.frames_per_chunk :]
    assert fading.max() <= 1.2 * later.max() + 2 / 32768
    assert steps[seam - 300 : seam + 100].max() <= 0.2 * later.max() + 2 / 32768


def test_less_quality_is_the_same_music(streamed: list[bytes]) -> None:
    """From step to step more is missing: at first inaudibly little, and the loudness stays within 1.5 dB."""
    whole = samples(b"".join(streamed[32:45]))
    missing_db = []
    for quality in (0.75, 0.5, 0.25, 0.0):
        less = samples(b"".join(at_quality(score_of(phrase(AUDIO), AUDIO), quality)[7:]))
        assert abs(rms_db(less) - rms_db(whole)) < 1.5
        missing_db.append(rms_db(whole - less) - rms_db(whole))
    assert missing_db == sorted(missing_db)
    assert missing_db[0] < -40
    assert missing_db[-1] < -6


@pytest.mark.parametrize("batch", [1, 7, 20])
def test_a_change_of_quality_depends_on_no_batch(batch: int) -> None:
    """Neither on its size nor on its order, nor on where a worker takes over."""
    changed = lowered(score_of(phrase(AUDIO), AUDIO), AUDIO, 30, 0.25)
    expected = render(changed, list(range(25, 45)), Versions(SECOND, SECOND))
    order = list(range(25, 45))
    random.Random(batch).shuffle(order)  # noqa: S311  an order, no secret
    renderer = Renderer(AUDIO, DEVICE)
    for first in range(0, 20, batch):
        seqs = order[first : first + batch]
        jobs = [Job(7, changed, seq, Versions(SECOND, SECOND)) for seq in seqs]
        assert renderer.render(jobs) == [expected[seq - 25] for seq in seqs]


def test_intensity_brightens() -> None:
    """From intensity 0 to 1 the power-weighted centroid rises."""
    centroids = []
    for intensity in (0.0, 0.5, 1.0):
        dimmed = revised(score_of(phrase(AUDIO), AUDIO), AUDIO, 20, intensity)
        x = np.concatenate(
            [samples(c) for c in render(dimmed, list(range(25, 40)), Versions(SECOND, SECOND))]
        )
        power = np.abs(np.fft.rfft(x[:, 0] * np.hanning(len(x)))) ** 2
        centroids.append(float((np.fft.rfftfreq(len(x), 1 / 44_100) * power).sum() / power.sum()))
    assert centroids == sorted(centroids)
    assert centroids[-1] > 1.1 * centroids[0]


def test_a_dry_score_holds_its_last_chord() -> None:
    """After the end of the written score the synth does not fall silent."""
    score = Score()
    chord = Chord(0, AUDIO.frames(4), 0, "maj7", "I", (36, 55, 60, 64))
    events = (chord, *(note(i, 0.0, pitch) for i, pitch in enumerate((55, 60, 64))))
    score.apply(FIRST, Batch(revision=0, from_frame=0, until_frame=AUDIO.frames(4), events=events))
    far = samples(b"".join(render(score, list(range(300, 310)))))
    assert rms_db(far) > -40


def test_voices_built_ahead_are_those_of_the_newest_score() -> None:
    """A note of a later entry than the chunk's own, not the chord that would be held if none followed."""
    chord = Chord(0, AUDIO.frames(4), 0, "maj7", "I", (36, 55, 60, 64))
    score, later = Score(), note(5, 4.2, 67.0)
    score.apply(FIRST, Batch(revision=0, from_frame=0, until_frame=AUDIO.frames(4), events=(chord,)))
    score.apply(
        SECOND,
        Batch(revision=0, from_frame=AUDIO.frames(4), until_frame=AUDIO.frames(12), events=(later,)),
    )
    renderer = Renderer(AUDIO, DEVICE)
    for seq in range(25, 40):
        renderer.render([Job(7, score, seq, PLAIN)])
        renderer.build_ahead([Job(7, score, seq, PLAIN)])
    built = {kept.id for _, ((kept, _), _) in renderer._cast._voices._kept.items()}
    assert built == {later.id}


def test_voices_that_no_batch_needs_are_forgotten(score: Score) -> None:
    """After a hundred chunks in which nothing of the phrase sounds, nothing of it is kept in memory."""
    renderer = Renderer(AUDIO, DEVICE)
    renderer.render([Job(7, score, 20, PLAIN)])
    assert renderer._cast._voices
    for seq in range(1000, 1100):
        renderer.render([Job(7, score, seq, PLAIN)])
    assert not renderer._cast._voices
