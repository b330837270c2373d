"""Our pad compared with Csound's."""

from pathlib import Path

import numpy as np
import pytest

from auralis.errors import AuralisError
from services.bench import csound
from services.bench.pads import pad_rows

CPU = "cpu"


def program(folder: Path, text: str) -> str:
    path = folder / "csound"
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_without_csound_its_row_says_so() -> None:
    """Our own are measured all the same."""
    *ours, theirs = pad_rows(1, CPU, None)
    assert [row.ratio for row in ours] == [None, None]
    assert all(row.samples is not None for row in ours)
    assert (theirs.samples, theirs.unit) == (None, "csound is not installed")


def test_its_start_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of ten more seconds of sixteen voices is compared: Csound's default and a fast setting."""
    monkeypatch.setattr(csound, "render_s", lambda *wanted: 1.0 + wanted[2] / wanted[4])
    named = program(tmp_path, "#!/bin/sh\necho '--Csound version 1.23 (double samples) 2024' >&2\n")
    *ours, plain, fast = pad_rows(1, CPU, named)
    names = [f"pad voice: Csound version 1.23, ksmps {ksmps}" for ksmps in (10, 64)]
    assert [plain.measure, fast.measure] == names
    found = [row.samples.median for row in (plain, fast) if row.samples]
    assert found == pytest.approx([1e9 / ksmps / 16 / 44_100 for ksmps in (10, 64)])
    assert [row.goal for row in ours] == ["3 x", "", "3 x", ""]
    for row, theirs in zip(ours, found * 2, strict=True):
        assert row.samples is not None
        assert row.ratio == pytest.approx(theirs / row.samples.median)


def test_a_csound_that_fails_is_told_in_one_line(tmp_path: Path) -> None:
    """The line is the last one that it printed."""
    broken = program(tmp_path, "#!/bin/sh\necho first >&2; echo no such opcode >&2; exit 1\n")
    with pytest.raises(AuralisError, match=r"^csound: no such opcode$"):
        csound.render_s(broken, [220.0], 1.0, 44_100, 10)


@pytest.mark.skipif(csound.installed() is None, reason="Csound is not installed")
def test_csound_plays_the_pad() -> None:
    """The real program accepts the orchestra."""
    pitches = list(np.geomspace(110, 440, 4))
    assert csound.render_s(csound.installed() or "", pitches, 0.5, 44_100, csound.DEFAULT_KSMPS) > 0
