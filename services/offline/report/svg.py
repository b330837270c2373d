"""Drawing primitives: SVG elements as text, with coordinates to a tenth of a pixel."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

# For text in pictures; a page includes it in its own style.
STYLE: Final = """
svg text { font: 12px system-ui, sans-serif; fill: #333; } svg text.small { font-size: 10px; fill: #555; }
svg text.key { font-size: 11px; font-weight: 600; }
"""


def rect(x: float, y: float, width: float, height: float, **more: object) -> str:
    """A rectangle."""
    return _element("rect", {"x": x, "y": y, "width": width, "height": height} | more)


def line(x1: float, y1: float, x2: float, y2: float, **more: object) -> str:
    """A straight line."""
    return _element("line", {"x1": x1, "y1": y1, "x2": x2, "y2": y2} | more)


def path(points: list[tuple[float, float]], **more: object) -> str:
    """A line through ``points``."""
    through = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
    return _element("path", {"d": f"M{through}"} | more)


def text(x: float, y: float, label: str, **more: object) -> str:
    """One line of text; ``anchor`` and ``turn`` (degrees) set its alignment and rotation."""
    anchor, turn = more.pop("anchor", None), more.pop("turn", None)
    if anchor is not None:
        more["text_anchor"] = anchor
    if turn is not None:
        more["transform"] = f"rotate({turn} {_number(x)} {_number(y)})"
    return _element("text", {"x": x, "y": y} | more, escape(label))


def titled(element: str, title: str) -> str:
    """``element`` with a tooltip."""
    return f"<g><title>{escape(title)}</title>{element}</g>"


def group(elements: list[str], **more: object) -> str:
    """Elements with attributes in common."""
    return _element("g", more, "".join(elements))


class Picture(NamedTuple):
    """A whole picture; ``title`` says what it shows, for readers who can't see it."""

    width: float
    height: float
    elements: list[str]
    title: str

    def inline(self) -> str:
        """The picture as an element of a page."""
        size = f'width="{_number(self.width)}" height="{_number(self.height)}"'
        size += f' viewBox="0 0 {_number(self.width)} {_number(self.height)}"'
        return f'<svg {size} role="img" aria-label="{escape(self.title)}">{"".join(self.elements)}</svg>'


def stacked(pictures: Sequence[Picture], title: str) -> str:
    """Pictures one below the other as one SVG file, on white."""
    width, height = max(each.width for each in pictures), sum(each.height for each in pictures)
    elements, top = [rect(0, 0, width, height, fill="#fff")], 0.0
    for picture in pictures:
        elements.append(group(picture.elements, transform=f"translate(0 {_number(top)})"))
        top += picture.height
    size = f'viewBox="0 0 {_number(width)} {_number(height)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}">'
    return f"{head}<style>{STYLE}</style>{''.join(elements)}</svg>\n"


def _element(name: str, attributes: Mapping[str, object], inside: str = "") -> str:
    shown = "".join(f' {_attribute(key)}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{shown}>{inside}</{name}>" if inside else f"<{name}{shown}/>"


def _attribute(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    return _number(value) if isinstance(value, int | float) else escape(str(value))


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") or "0"
