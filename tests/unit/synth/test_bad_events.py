"""Whatever is in the score, rendering goes on and every sample is finite."""

import math
from functools import cache
from typing import get_args

import msgspec
import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auralis.audio import SAMPLE_RATES_HZ, AudioFormat
from auralis.ring.versions import Versions
from auralis.score.events import Automation, Event, Layer, Note, Space, Tempo
from services.synth.patches.library import library
from services.synth.renderer import Job, Renderer
from tests.device import DEVICE
from tests.unit.synth.scores import FIRST, note, score_of

PLAIN = Versions(FIRST, FIRST)
SEQS = (0, 1, 4)

odd = st.sampled_from([math.nan, math.inf, -math.inf, -1.0, 1e30, -1e30, 0.0, 127.0, 128.0, 1e-300])
# Notes that decoding accepts, and notes that it rejects: one that arrives another way must do no harm either.
notes = st.builds(
    Note,
    at_frame=st.integers(0, 20_000),
    id=st.integers(-(2**63), 2**64),
    duration_frames=st.integers(1, 100_000) | st.sampled_from([1, 2**47, 2**48, 2**62]),
    pitch=st.floats(0, 127) | odd,
    velocity=st.floats(0, 1) | odd,
    patch=st.sampled_from(sorted(library())) | st.text(max_size=5),
    layer=st.sampled_from(get_args(Layer)),
    pan=st.floats(-1, 1) | odd,
)
marks = st.one_of(
    st.builds(
        Automation,
        at_frame=st.integers(0, 20_000),
        parameter=st.sampled_from(("intensity", "brightness", "quality")),
        ramp_frames=st.integers(0, 2**40),
        value=st.floats(0, 1),
    ),
    st.builds(Tempo, at_frame=st.integers(0, 20_000), bpm=st.sampled_from([20.0, 300.0])),
    st.builds(Space, at_frame=st.integers(0, 20_000), room=st.sampled_from(("plate", "room"))),
)


def quiet(patch: str, velocity: float) -> Note:
    """A note of one frame, over before it has begun."""
    return Note(0, 0, 1, 0.0, velocity, patch, "drone")


@cache
def renderer_of(rate_hz: int) -> Renderer:
    """One renderer for all scores, so that damage left by bad notes would show in the next score."""
    return Renderer(AudioFormat(rate_hz), DEVICE)


@settings(max_examples=150)
@example(events=[quiet("air", 0.0), quiet("air", 1e30)], rate_hz=44_100)
@given(events=st.lists(notes | marks, min_size=1, max_size=8), rate_hz=st.sampled_from(SAMPLE_RATES_HZ))
def test_no_event_stops_a_renderer_or_yields_a_sample_that_is_not_finite(
    events: list[Event], rate_hz: int
) -> None:
    audio, renderer = AudioFormat(rate_hz), renderer_of(rate_hz)
    good = msgspec.structs.replace(note(99, 0.0, 60.0, rate=rate_hz), velocity=0.9)
    score = score_of([good, *events], audio)
    chunks = renderer.render([Job(7, score, seq, PLAIN) for seq in SEQS])
    assert all(len(chunk) == audio.bytes_per_chunk for chunk in chunks)
    assert np.frombuffer(chunks[-1], "<i2").any()
    _, tape = renderer._tapes.get((7, id(score))) or (None, None)
    assert tape is not None
    mixes = [take.mix for take in tape._takes.values() if take.mix is not None]
    assert mixes
    assert all(np.isfinite(mix.samples).all() for mix in mixes)


@settings(max_examples=30)
@given(bad=st.lists(notes.filter(lambda n: n.patch not in library()), min_size=1, max_size=4))
def test_skipped_notes_do_not_change_the_others(bad: list[Note]) -> None:
    """Byte for byte, and each skipped note is counted."""
    audio, renderer = AudioFormat(), Renderer(AudioFormat(), DEVICE)
    good = note(99, 0.0, 60.0)
    job = Job(7, score_of([good, *bad], audio), 4, PLAIN)
    assert renderer.render([job]) == Renderer(audio, DEVICE).render(
        [Job(7, score_of([good], audio), 4, PLAIN)]
    )
    assert renderer.take_skipped().total() == len(set(bad))
    assert renderer.take_skipped().total() == 0
