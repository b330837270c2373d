"""The report as a page: complete, self-contained, and the same every time."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from auralis.audio import AudioFormat
from auralis.controls import Controls
from auralis.score.events import Layer, Note
from auralis.score.score import Score
from auralis.score.stretch import Stretch, stretch_of
from services.offline.__main__ import RenderRequest, main
from services.offline.exports import stretch_of_piece
from services.offline.piece import composed
from services.offline.report import timeline
from services.offline.report.loudness import LoudnessMeter
from services.offline.report.page import page

AUDIO = AudioFormat()
VOID = {"meta", "br"}


class Balanced(HTMLParser):
    """Fails on a tag that is not closed where it was opened; records tags and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def count(self, tag: str, **attributes: str) -> int:
        return sum(
            name == tag and all(found.get(key) == value for key, value in attributes.items())
            for name, found in self.seen
        )


def measured(seconds: float) -> LoudnessMeter:
    meter = LoudnessMeter(AUDIO)
    for _ in range(round(seconds * 10)):
        meter.add(bytes([0, 16]) * (AUDIO.bytes_per_chunk // 2))
    return meter


def piece(seconds: float = 180.0, **controls: float | str) -> Stretch:
    batch = composed(3, Controls(**controls), seconds, AUDIO)  # type: ignore[arg-type]
    return stretch_of_piece(batch, AUDIO, AUDIO.frames(seconds))


@pytest.fixture(scope="module")
def stretch() -> Stretch:
    return piece(intensity=0.8)


@pytest.fixture(scope="module")
def html(stretch: Stretch) -> str:
    return page(3, Controls(intensity=0.8), stretch, measured(180))


def test_it_needs_nothing_else(html: str) -> None:
    """No script, no address, no file."""
    read = Balanced(html)
    assert not re.search(r"https?:|//\w|url\(|@import|<script|<link|<img", html)
    assert not any("src" in found or "href" in found for _, found in read.seen)


def test_every_note_is_drawn_in_its_layers_colour(html: str, stretch: Stretch) -> None:
    """In the roll there is a rectangle with rounded corners for each."""
    read = Balanced(html)
    assert read.count("rect", rx="1") == len(stretch.notes)
    for layer in {note.layer for note in stretch.notes}:
        assert read.count("g", fill=timeline.COLOURS[layer]) == 2  # in the roll and in the density


def test_pictures_are_named_for_those_who_do_not_see_them(html: str) -> None:
    named = {found.get("aria-label") for tag, found in Balanced(html).seen if tag == "svg"}
    expected = {"Form", "Chords", "Piano roll", "Density", "Loudness", "Pitch classes by duration"}
    assert named == expected


def test_it_says_what_was_measured(html: str) -> None:
    for said in ("Auralis, seed 3", "A minor, 60 BPM, intensity 0.8, 3:00 minutes", "LUFS", "voice leading"):
        assert said in html


@pytest.mark.parametrize("seconds", [0.1, 2.0, 13.0])
def test_the_shortest_pieces_have_a_page(seconds: float) -> None:
    """Too short for loudness, a melody or a second chord."""
    Balanced(page(3, Controls(), piece(seconds), measured(seconds)))


def test_a_score_of_nothing_has_a_page() -> None:
    empty = stretch_of(Score().view(), AUDIO, 0, AUDIO.frames(10))
    Balanced(page(3, Controls(), empty, LoudnessMeter(AUDIO)))


def test_names_are_text_and_nothing_else() -> None:
    """A patch with an awkward name does not end up as markup."""
    layer: Layer = "melody"
    odd = Note(0, 1, 44_100, 60, 0.5, '<b a="&">', layer)
    stretch = Stretch(AUDIO, 0, AUDIO.frames(10), (odd,), (), (), (), ())
    assert '<b a="' not in page(3, Controls(), stretch, measured(10))


def test_pictures_grow_with_the_piece() -> None:
    """Two minutes fill the width of a window; an hour can be scrolled through."""
    assert timeline.Axis(piece(120)).width == 900
    hour = Stretch(AUDIO, 0, AUDIO.frames(3600), (), (), (), (), ())
    assert timeline.Axis(hour).width == 7200


def test_it_is_written_beside_the_sound_and_the_same_every_time(tmp_path: Path) -> None:
    pages = []
    for name in ("one", "two"):
        main(
            RenderRequest(
                3, 0.1, Controls(), tmp_path / f"{name}.wav", AUDIO, report=tmp_path / f"{name}.html"
            )
        )
        pages.append((tmp_path / f"{name}.html").read_bytes())
    assert pages[0] == pages[1]
    assert pages[0].startswith(b"<!doctype html>")
