"""Draws a lineage as SVG: sources, dataset versions, runs, versions and devices, left to right."""

from collections.abc import Iterable
from html import escape

from fleetloop_hub.tracking.lineage import Descent

_COLUMNS = ("sources", "dataset versions", "runs", "versions", "devices")
_WIDTH, _GAP = 190, 60
_HEIGHT, _SPACE, _TOP = 42, 14, 44
_CHARS = 27
_FILLS = ("#e8eef7", "#e3f1ec", "#fbf3df", "#f6e6ee", "#eeeeee")
_LINE = "#8a8f98"
# Attributes, no style sheet: a page whose policy forbids inline styles shows the picture too.
_TEXT = 'font-family="system-ui, sans-serif" font-size="12" fill="#1a1a1a"'
_HEAD = 'font-size="13" font-weight="600"'
_SMALL = 'font-size="10.5" fill="#555"'


class _Drawing:
    """Boxes in columns, each found by its key, and the lines between them."""

    def __init__(self) -> None:
        self._boxes: dict[tuple[int, str], tuple[str, str]] = {}
        self._lines: dict[tuple[int, str, int, str], None] = {}

    def box(self, column: int, key: str, head: str, small: str) -> str:
        self._boxes.setdefault((column, key), (head, small))
        return key

    def line(self, left: tuple[int, str], right: tuple[int, str]) -> None:
        self._lines[(*left, *right)] = None

    def write(self) -> str:
        places = self._places()
        height = max(y for _, y in places.values()) + _HEIGHT + _SPACE
        width = len(_COLUMNS) * (_WIDTH + _GAP)
        lines = "".join(_curve(places[a, b], places[c, d]) for a, b, c, d in self._lines)
        boxes = "".join(_box(places[key], _FILLS[key[0]], *self._boxes[key]) for key in self._boxes)
        heads = "".join(
            f'<text {_HEAD} x="{_x(k)}" y="24">{title}</text>' for k, title in enumerate(_COLUMNS)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img"><title>Lineage</title>'
            f'<g fill="none" stroke="{_LINE}" stroke-width="1.2">{lines}</g>'
            f"<g {_TEXT}>{heads}{boxes}</g></svg>\n"
        )

    def _places(self) -> dict[tuple[int, str], tuple[int, int]]:
        counts = [0] * len(_COLUMNS)
        places = {}
        for column, key in self._boxes:
            places[column, key] = (_x(column), _TOP + counts[column] * (_HEIGHT + _SPACE))
            counts[column] += 1
        return places


def lineage_svg(found: Iterable[Descent]) -> str:
    """The picture as text.

    Args:
        found: The lineages of versions; what they share is drawn once.
    """
    drawing, found = _Drawing(), list(found)
    devices = _devices(found)
    for one in found:
        names = ", ".join(one.aliases)
        label = f"{one.state}{': ' + names if names else ''}"
        version = (3, drawing.box(3, one.version, one.version.replace("/", " v"), label))
        for device in [*one.devices, *one.ready]:
            drawing.line(version, (4, drawing.box(4, device, device, devices[device])))
        run = None
        if one.run is not None:
            why = f"{one.run.asked_by}: {one.run.reason}" if one.run.asked_by else one.run.reason
            run = (2, drawing.box(2, one.run.key, one.run.key, why))
            drawing.line(run, version)
        for rows in one.datasets:
            here = (1, drawing.box(1, rows.key, rows.key[:12], f"{rows.rows:,} rows"))
            if rows is one.datasets[0]:
                drawing.line(here, run or version)
            for source in rows.sources:
                small = source.sha256[:12] or "no hash"
                key = source.sha256 or source.words
                drawing.line((0, drawing.box(0, key, source.words, small)), here)
            if rows.parent is not None and any(r.key == rows.parent for r in one.datasets):
                drawing.line((1, rows.parent), here)
    return drawing.write()


def _devices(found: list[Descent]) -> dict[str, str]:
    """What each device runs and may go back to."""
    told: dict[str, list[str]] = {}
    for verb, names in (("runs", "devices"), ("may go back to", "ready")):
        for one in found:
            for device in getattr(one, names):
                number = one.version.rpartition("/")[2]
                told.setdefault(device, []).append(f"{verb} v{number}")
    return {device: ", ".join(words) for device, words in told.items()}


def _x(column: int) -> int:
    return _GAP // 2 + column * (_WIDTH + _GAP)


def _curve(left: tuple[int, int], right: tuple[int, int]) -> str:
    x1, y1 = left[0] + _WIDTH, left[1] + _HEIGHT // 2
    x2, y2 = right[0], right[1] + _HEIGHT // 2
    if left[0] == right[0]:  # a dataset version and the one that grew from it, below each other
        edge = left[0]
        return f'<path d="M{edge} {y1} C{edge - 24} {y1} {edge - 24} {y2} {edge} {y2}"/>'
    half = (x1 + x2) // 2
    return f'<path d="M{x1} {y1} C{half} {y1} {half} {y2} {x2} {y2}"/>'


def _box(place: tuple[int, int], fill: str, head: str, small: str) -> str:
    x, y = place
    return (
        f"<g><title>{escape(head)}, {escape(small)}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" fill="{fill}" '
        f'stroke="{_LINE}"/>'
        f'<text x="{x + 9}" y="{y + 18}">{escape(_cut(head))}</text>'
        f'<text {_SMALL} x="{x + 9}" y="{y + 33}">{escape(_cut(small))}</text></g>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= _CHARS else f"{text[: _CHARS - 1]}…"
