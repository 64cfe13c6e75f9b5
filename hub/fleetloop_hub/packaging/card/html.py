"""A card as one HTML file: no scripts, nothing loaded, light and dark, fit for paper."""

from importlib.resources import files
from typing import assert_never

from markupsafe import Markup, escape

from fleetloop_hub.packaging.card.parts import (
    Badge,
    Block,
    Card,
    Cell,
    Commands,
    Facts,
    Points,
    Reliability,
    Section,
    Table,
    Text,
    Whisker,
)
from fleetloop_hub.packaging.card.pictures import reliability, whisker

_PAGE = Markup(
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>{title}: model card</title><style>{style}</style></head><body>\n"
    '<header><p class="kind">Model card</p><h1>{title} {state}</h1><p class="about">{about}</p>'
    '<ul class="figures">{figures}</ul></header>\n<nav><ol>{contents}</ol></nav>\n<main>{body}'
    "</main>\n</body></html>\n"
)
_FIGURE = Markup("<li><strong>{}</strong><span>{}</span><small>{}</small></li>")
_HEAD, _DATA = Markup('<th class="{}">{}</th>'), Markup('<td class="{}">{}</td>')
_SECTION = Markup('<section id="{}"><h2>{}</h2>{}</section>\n')


def render(card: Card) -> str:
    """The file's text."""
    style = files("fleetloop_hub.packaging.card").joinpath("card.css").read_text("utf-8")
    return _PAGE.format(
        title=card.title,
        style=Markup(style),  # noqa: S704  # our own file
        state=_cell(card.state),
        about=card.about,
        figures=Markup("").join(_FIGURE.format(*figure) for figure in card.figures),
        contents=Markup("").join(
            Markup('<li><a href="#{}">{}</a></li>').format(_id(s), s.title) for s in card.sections
        ),
        body=Markup("").join(
            _SECTION.format(_id(s), s.title, Markup("").join(map(_block, s.blocks)))
            for s in card.sections
        ),
    )


def _id(section: Section) -> str:
    return "".join(sign if sign.isalnum() else "-" for sign in section.title.lower())


def _block(block: Block) -> Markup:
    match block:
        case Text(text, level):
            return Markup('<p class="{}">{}</p>').format(level, text)
        case Facts(pairs):
            inner = Markup("").join(
                Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value)
                for name, value in pairs
            )
            return Markup("<dl>{}</dl>").format(inner)
        case Points(texts):
            inner = Markup("").join(Markup("<li>{}</li>").format(text) for text in texts)
            return Markup('<ul class="points">{}</ul>').format(inner)
        case Commands(lines):
            return Markup("<pre><code>{}</code></pre>").format("\n".join(lines))
        case Reliability(bins):
            return reliability(bins)
        case Table():
            return _table(block)
    assert_never(block)


def _table(table: Table) -> Markup:
    heads = _line(_HEAD, [escape(head) for head in table.heads], table)
    body = Markup("").join(_line(_DATA, list(map(_cell, cells)), table) for cells in table.lines)
    return Markup(
        '<div class="wide"><table><thead>{}</thead><tbody>{}</tbody></table></div>'
    ).format(heads, body)


def _line(form: Markup, cells: list[Markup], table: Table) -> Markup:
    inner = Markup("").join(
        form.format("num" if place in table.numbers else "text", cell)
        for place, cell in enumerate(cells)
    )
    return Markup("<tr>{}</tr>").format(inner)


def _cell(cell: Cell) -> Markup:
    match cell:
        case None:
            return Markup("-")
        case Badge(level, text):
            return Markup('<span class="badge {}">{}</span>').format(level, text)
        case Whisker():
            return whisker(cell)
        case str():
            return escape(cell)
    assert_never(cell)
