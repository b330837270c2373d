"""The audio format and the arithmetic between frames, chunks and time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auralis.audio import CHUNK_US, SAMPLE_RATES_HZ, AudioFormat, due_us, first_seq_due_after, live_seq
from auralis.errors import InvalidValue

rates = st.sampled_from(SAMPLE_RATES_HZ)
seqs = st.integers(0, 10**10)
epochs = st.integers(1_500_000_000_000_000, 2_500_000_000_000_000)


@pytest.mark.parametrize(("rate", "frames", "size"), [(44_100, 4_410, 17_640), (48_000, 4_800, 19_200)])
def test_a_chunk_is_100_ms_of_16_bit_stereo(rate: int, frames: int, size: int) -> None:
    audio = AudioFormat(rate)
    assert (audio.frames_per_chunk, audio.bytes_per_chunk) == (frames, size)


@pytest.mark.parametrize("rate", [0, -44_100, 22_050, 44_101, 96_000])
def test_other_rates_are_refused_by_naming_those_allowed(rate: int) -> None:
    with pytest.raises(InvalidValue, match=f"sample_rate: found {rate}, allowed: 44100 or 48000"):
        AudioFormat(rate)


@given(rates, seqs)
def test_chunks_are_adjacent_and_every_frame_lies_in_its_chunk(rate: int, seq: int) -> None:
    audio = AudioFormat(rate)
    start, end = audio.start_frame(seq), audio.end_frame(seq)
    assert end - start == audio.frames_per_chunk
    assert end == audio.start_frame(seq + 1)
    assert audio.seq_at(start) == audio.seq_at(end - 1) == seq
    assert audio.seq_at(end) == seq + 1


@given(rates, st.floats(0, 1e6))
def test_seconds_survive_the_way_over_frames_to_half_a_frame(rate: int, seconds: float) -> None:
    audio = AudioFormat(rate)
    assert abs(audio.seconds(audio.frames(seconds)) - seconds) <= 0.5 / rate + 1e-9


@given(epochs, seqs, st.integers(0, CHUNK_US - 1))
def test_a_chunk_is_live_from_its_due_time_until_the_next_one_is_due(epoch: int, seq: int, late: int) -> None:
    assert live_seq(epoch, due_us(epoch, seq) + late) == seq


@given(epochs, st.integers(-(10**9), 10**15))
def test_the_first_chunk_due_after_a_time_is_the_first_one(epoch: int, elapsed: int) -> None:
    seq = first_seq_due_after(epoch, epoch + elapsed)
    assert due_us(epoch, seq) >= epoch + elapsed > due_us(epoch, seq - 1)
