"""Small pictures inside a card: strips, dots with intervals and bars, as SVG without a script.

They are drawn at their own size and never scaled, so their text is legible on a phone. Colours are
classes of the style sheet; the attributes beside them hold where there is none. What a colour tells
a shape tells as well: clean is a full circle, corrupted an open square.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from site_builder.charts import tables

WIDTH = 300
NAMES = 96
"""Pixels for the names of rows."""

EDGE = 14
"""Pixels on the right, which the label of a tick at the end of a scale reaches into."""

LETTER = 7
"""Pixels that a digit of a label may take."""

ROW = 18
NONE = Markup("")


@dataclass(frozen=True)
class Scale:
    """From values to pixels, both ends included."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float | None], start: float, end: float) -> Scale:
        """Return the scale that has all values that there are, and zero."""
        there = [value for value in values if value is not None]
        low, high = min([0.0, *there]), max([0.0, *there])
        return cls(low, high if high > low else low + 1, start, end)

    def at(self, value: float) -> float:
        """Return a value's pixel, to a tenth; a value beyond an end is drawn at that end."""
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return round values from `low` to `high`, zero among them, and how an axis writes them.

    They are 1, 2 or 5 times a power of ten apart, and at least two.
    """
    size = 10.0 ** floor(log10((high - low) / 2))
    step = max(one for one in (size, 2 * size, 5 * size) if one <= (high - low) / 2)
    places = max(0, -floor(log10(step)))
    multiples = range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    return [(at * step, number(at * step, places if at else 0)) for at in multiples]


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval; all are None where there is nothing to take a mean of."""

    value: float | None
    low: float | None = None
    high: float | None = None


def effects(
    attributed: float | None,
    measured: Estimate,
    band: tuple[float | None, float | None],
    scale: Scale,
) -> Markup:
    """Return a strip: a diamond where the gradient puts the effect, a dot where it was measured.

    The grey band is what features that were not chosen, of about the same size, do. The numbers
    stand beside it in words.
    """
    parts = [_line("zero", scale.at(0), 1, scale.at(0), 15)]
    low, high = band
    if low is not None and high is not None:
        left, right = scale.at(low), scale.at(high)
        wide = max(round(right - left, 1), 1)
        parts.insert(
            0,
            Markup('<rect class="band" x="{}" y="2" width="{}" height="12"/>').format(left, wide),
        )
    parts += _interval("measured", measured, scale, 8)
    if measured.value is not None:
        parts.append(_circle("measured", scale.at(measured.value), 8))
    if attributed is not None:
        x = scale.at(attributed)
        shape = Markup(
            '<path class="attributed" fill="none" stroke="#000" d="M{} 3l5 5l-5 5l-5 -5z"/>'
        )
        parts.append(shape.format(x))
    width = round(scale.end + 6)
    return Markup(
        '<svg class="spark" width="{0}" height="16" viewBox="0 0 {0} 16" aria-hidden="true">'
        "{1}</svg>"
    ).format(width, Markup("").join(parts))


def rows(named: Sequence[tuple[str, Estimate, Estimate]], title: str, width: int = WIDTH) -> Markup:
    """Return a row a name: clean above, corrupted below, each with its interval."""
    both = [estimate for _, *pair in named for estimate in pair]
    ends = [end for one in both for end in (one.value, one.low, one.high)]
    scale = Scale.over(ends, NAMES, width - EDGE)
    height = ROW * len(named)
    parts = []
    for value, told in ticks(scale.low, scale.high):
        x = scale.at(value)
        parts += [_line("tick", x, 0, x, height), _text(x, height + 13, told, "middle")]
    parts.append(_line("zero", scale.at(0), 0, scale.at(0), height))
    for place, (name, clean, corrupted) in enumerate(named):
        y = place * ROW + ROW / 2
        parts.append(_text(NAMES - 8, y + 4, name, "end"))
        marks = [
            *_interval("corrupted", corrupted, scale, y + 4),
            *_interval("clean", clean, scale, y - 4),
        ]
        if corrupted.value is not None:
            marks.append(_square("corrupted", scale.at(corrupted.value), y + 4))
        if clean.value is not None:
            marks.append(_circle("clean", scale.at(clean.value), y - 4))
        told = f"{name}: clean {said(clean)}, corrupted {said(corrupted)}"
        parts.append(Markup("<g><title>{}</title>{}</g>").format(told, Markup("").join(marks)))
    return _picture(width, height + 18, title, parts)


def curves(
    points: Sequence[tuple[int, Estimate, Estimate]], title: str, width: int = WIDTH
) -> Markup:
    """Return two curves over places, their intervals as upright lines."""
    both = [estimate for _, *pair in points for estimate in pair]
    ends = [end for one in both for end in (one.value, one.low, one.high)]
    height = 110
    up = Scale.over(ends, height - 6, 6)
    marked = ticks(up.low, up.high)
    left = 8 + LETTER * max(len(told) for _, told in marked)
    across = Scale(points[0][0], max(points[-1][0], points[0][0] + 1), left + 8, width - EDGE)
    parts = []
    for value, told in marked:
        parts.append(_line("tick", left, up.at(value), width, up.at(value)))
        parts.append(_text(left - 4, up.at(value) + 4, told, "end"))
    parts.append(_line("zero", left, up.at(0), width, up.at(0)))
    for name, shift in (("corrupted", 2), ("clean", -2)):
        path, pen = [], "M"
        marks = []
        for k, clean, corrupted in points:
            one = clean if name == "clean" else corrupted
            if one.value is None:
                pen = "M"
                continue
            x, y = across.at(k) + shift, up.at(one.value)
            path.append(f"{pen}{x:.1f} {y}")
            pen = "L"
            marks.append(_circle(name, x, y) if name == "clean" else _square(name, x, y))
            if one.low is not None and one.high is not None:
                marks.append(_line(name, x, up.at(one.low), x, up.at(one.high)))
        curve = Markup('<path class="{}" fill="none" stroke="#888" d="{}"/>')
        parts += [curve.format(name, "".join(path)), *marks]
    for k, *_ in points:
        if k == points[0][0] or k % 5 == 0:
            parts.append(_text(across.at(k), height + 10, str(k), "middle"))
    return _picture(width, height + 14, title, parts)


def bars(
    named: Sequence[tuple[str, float, float, bool]], of: tuple[str, str], title: str
) -> Markup:
    """Return a row per name: a bar for one share, a dot for another.

    Args:
        named: name, both shares, whether a dagger marks it.
        of: what both are shares of.
        title: what the picture shows.
    """
    names = NAMES + 40
    scale = Scale(0, 1, names, WIDTH - 8)
    parts = [
        _line("zero", scale.at(share), 0, scale.at(share), 15 * len(named)) for share in (0, 1)
    ]
    for place, (name, share, other, marked) in enumerate(named):
        y = place * 15
        told = f"{name}: {share:.0%} of {of[0]}, {other:.0%} of {of[1]}"
        parts.append(_text(names - 8, y + 11, f"{name} †" if marked else name, "end"))
        bar = Markup('<rect class="share" x="{}" y="{}" width="{}" height="8"/>').format(
            names, y + 3, max(round(scale.at(share) - names, 1), 0)
        )
        dot = _circle("clean", scale.at(other), y + 7)
        parts.append(Markup("<g><title>{}</title>{}{}</g>").format(told, bar, dot))
    height = 15 * len(named)
    ends = (
        _text(scale.at(0), height + 12, "0 %", "start"),
        _text(scale.at(1), height + 12, "100 %", "end"),
    )
    return _picture(WIDTH, height + 16, title, [*parts, *ends])


def upright(one: Estimate, level: float, ends: tuple[float, float], width: int = 104) -> Markup:
    """Return a share with its interval on an upright scale of powers of ten.

    The numbers stand beside it in words.

    Args:
        one: The share, above 0.
        level: Another one, at which a line goes across.
        ends: Of the scale, the first above 0, which pictures side by side have in common.
        width: Of the picture, in pixels.
    """
    height, left = 84, 34
    scale = Scale(log10(ends[0]), log10(ends[1]), height - 6, 6)
    across = (left + width) / 2
    parts = []
    for power in range(ceil(scale.low), floor(scale.high) + 1):
        y = scale.at(power)
        parts += [
            _line("tick", left, y, width, y),
            _text(left - 4, y + 4, f"{10.0 ** (power + 2):.3g} %", "end"),
        ]
    parts.append(_line("level", left, scale.at(log10(level)), width, scale.at(log10(level))))
    if one.low is not None and one.high is not None:
        low, high = (scale.at(log10(max(end, ends[0]))) for end in (one.low, one.high))
        parts.append(_line("measured", across, low, across, high))
    if one.value:
        parts.append(_circle("measured", across, scale.at(log10(max(one.value, ends[0])))))
    return Markup(
        '<svg class="spark" width="{0}" height="{1}" viewBox="0 0 {0} {1}" font-size="11" '
        'aria-hidden="true">{2}</svg>'
    ).format(width, height, Markup("").join(parts))


def number(value: float | None, digits: int = 2) -> str:
    """Return a number as the page writes it: few digits and a true minus sign."""
    return tables.number(value, f".{digits}f")


def said(one: Estimate) -> str:
    """Return a mean with its interval in words."""
    if one.low is None or one.high is None:
        return number(one.value)
    return f"{number(one.value)} ({number(one.low)} to {number(one.high)})"


def _interval(name: str, one: Estimate, scale: Scale, y: float) -> list[Markup]:
    if one.low is None or one.high is None:
        return []
    return [_line(name, scale.at(one.low), y, scale.at(one.high), y)]


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> Markup:
    line = Markup('<path class="{}" stroke="#888" d="M{:g} {:g}L{:g} {:g}"/>')
    return line.format(name, x1, y1, x2, y2)


def _circle(name: str, x: float, y: float) -> Markup:
    return Markup('<circle class="{}" cx="{:g}" cy="{:g}" r="3.2"/>').format(name, x, y)


def _square(name: str, x: float, y: float) -> Markup:
    square = Markup(
        '<rect class="{}" fill="#fff" stroke="#888" x="{:g}" y="{:g}" width="6" height="6"/>'
    )
    return square.format(name, round(x - 3, 1), round(y - 3, 1))


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    shown = text if len(text) <= 22 else text[:21] + "…"
    return Markup('<text x="{:g}" y="{:g}" text-anchor="{}">{}</text>').format(x, y, anchor, shown)


def _picture(width: int, height: float, title: str, parts: Sequence[Markup]) -> Markup:
    head = Markup(
        '<svg class="spark" width="{0}" height="{1:g}" viewBox="0 0 {0} {1:g}" role="img" '
        'font-size="11" aria-label="{2}">'
    ).format(width, height, title)
    return head + Markup("").join(parts) + Markup("</svg>")
