"""Parameters of patches: each with a description, each number with a range and a curve."""

from collections.abc import Callable

from services.synth.patches.parameters import Parameter, parameters, parts


def failing(test: Callable[[Parameter], bool]) -> list[str]:
    return [f"{parameter.part}.{parameter.name}" for parameter in parameters() if not test(parameter)]


def test_every_parameter_is_described_in_one_line() -> None:
    assert failing(lambda p: p.description.endswith(".") and len(p.description) < 90) == []


def test_every_number_has_a_range_and_a_curve() -> None:
    ranged = [p for p in parameters() if " to " in p.allowed]
    assert len(ranged) > 80
    assert [p.name for p in ranged if p.curve not in {"linear", "exponential"}] == []


def test_every_part_of_a_patch_has_its_parameters() -> None:
    assert {p.part for p in parameters()} == {part.__name__ for part in parts()}
