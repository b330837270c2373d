"""A pad against Csound's."""

from pathlib import Path

import numpy as np
import pytest
import torch

from auralis.errors import AuralisError
from services.bench import csound
from services.bench.pads import pad_rows

CPU = torch.device("cpu")


def program(folder: Path, text: str) -> str:
    path = folder / "csound"
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_without_csound_its_row_says_so() -> None:
    """And ours are measured all the same."""
    *ours, theirs = pad_rows(1, CPU, None)
    assert [row.ratio for row in ours] == [None, None]
    assert all(row.samples is not None for row in ours)
    assert (theirs.samples, theirs.unit) == (None, "csound is not installed")


def test_its_start_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What twenty seconds more of sixteen voices take is what is compared."""
    monkeypatch.setattr(csound, "render_s", lambda *wanted: 1.0 + 0.01 * wanted[2])
    named = program(tmp_path, "#!/bin/sh\necho '--Csound version 1.23 (double samples) 2024' >&2\n")
    *ours, theirs = pad_rows(1, CPU, named)
    assert theirs.measure == "pad voice: Csound version 1.23"
    assert theirs.samples is not None
    assert theirs.samples.median == pytest.approx(0.01e9 / 16 / 44_100)
    medians = [row.samples.median for row in ours if row.samples]
    assert [row.ratio for row in ours] == pytest.approx([theirs.samples.median / m for m in medians])


def test_a_csound_that_fails_is_told_in_one_line(tmp_path: Path) -> None:
    """With the last thing that it said."""
    broken = program(tmp_path, "#!/bin/sh\necho first >&2; echo no such opcode >&2; exit 1\n")
    with pytest.raises(AuralisError, match=r"^csound: no such opcode$"):
        csound.render_s(broken, [220.0], 1.0, 44_100)


@pytest.mark.skipif(csound.installed() is None, reason="Csound is not installed")
def test_csound_plays_the_pad() -> None:
    """The real one takes the orchestra."""
    assert csound.render_s(csound.installed() or "", list(np.geomspace(110, 440, 4)), 0.5, 44_100) > 0
