"""Marks: what is passed on to the synth, and the rooms of the sections."""

from auralis.controls import Controls
from auralis.score.events import Automation, Space
from services.composer.form import CODA, FIRST, SECTIONS
from services.composer.marks import PARAMETERS, Moment, Said, room_of, said_at

RATE = 44_100
BEAT = Moment(frame=1000, ramp_frames=RATE // 4)


def test_a_room_of_ones_own_stays_in_every_section():
    assert {room_of(Controls(room="plate"), section) for section in SECTIONS} == {"plate"}


def test_left_alone_the_music_begins_and_ends_in_the_hall_and_walks_between():
    rooms = {section: room_of(Controls(), section) for section in SECTIONS}
    assert rooms[FIRST] == rooms[CODA] == "hall"
    assert set(rooms.values()) == {"hall", "cathedral", "plate"}


def test_each_parameter_is_a_control():
    controls = Controls(brightness=0.1, level_drone=0.2)
    marks, said = said_at(BEAT, Said(), controls, FIRST)
    assert marks == [
        Automation(1000, "brightness", RATE // 4, 0.1),
        Automation(1000, "level_drone", RATE // 4, 0.2),
    ]
    assert said_at(BEAT, said, controls, FIRST) == ([], said)
    assert set(PARAMETERS) == {
        name for name in Controls.__struct_fields__ if name[:6] in ("bright", "level_")
    }


def test_a_section_brings_its_room():
    marks, said = said_at(BEAT, Said(), Controls(), "still")
    assert marks == [Space(1000, "cathedral")]
    assert said_at(BEAT, said, Controls(), "still") == ([], said)


def test_what_differs_from_what_a_reader_assumes_is_repeated():
    controls = Controls(level_choir=0.0, room="none")
    _, said = said_at(BEAT, Said(), controls, FIRST)
    marks, _ = said_at(BEAT._replace(frame=60 * RATE, repeats=True), said, controls, FIRST)
    assert marks == [
        Automation(60 * RATE, "level_choir", RATE // 4, 0.0),
        Space(60 * RATE, "none"),
    ]
