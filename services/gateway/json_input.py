"""Strict parsing of untrusted JSON: what a lenient parser guesses may not be what the sender meant.

The standard library's parser keeps the last of two equal names and accepts NaN; both hide a mistake of the
sender, so both are refused.
"""

import json
from typing import Any, Final, NoReturn

from auralis.errors import InvalidValue

_QUOTED_CHARACTERS: Final = 200
# A fixed limit, because the depth that the parser itself allows differs between versions of Python.
_DEEPEST: Final = 20


def parse_object(data: bytes | str, field: str) -> dict[str, Any]:
    """The JSON object in ``data``; ``field`` names the object as a whole in errors.

    Raises:
        InvalidValue: not UTF-8, not JSON, not an object, a repeated name, NaN or an infinity, or nested
            deeper than any valid request.
    """
    try:
        text = data.decode() if isinstance(data, bytes) else data
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate can't be sent back
    except InvalidValue:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidValue(field, _quoted(data), f"a JSON object ({_first_line(error)})") from error
    if not isinstance(found, dict):
        raise InvalidValue(field, _quoted(data), "a JSON object")
    if _is_deeper(found, _DEEPEST):
        raise InvalidValue(field, _quoted(data), f"a JSON object, nested at most {_DEEPEST} deep")
    return found


def _is_deeper(found: dict[str, Any], depth: int) -> bool:
    """Whether objects and lists are nested more than ``depth`` deep."""
    level: list[Any] = [found]
    for _ in range(depth):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for several in inner for each in several if isinstance(each, dict | list)]
    return bool(level)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidValue(name, value, "each name once")
        found[name] = value
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def _quoted(data: bytes | str) -> str:
    text = data.decode(errors="replace") if isinstance(data, bytes) else data
    return text if len(text) <= _QUOTED_CHARACTERS else text[:_QUOTED_CHARACTERS] + "…"
