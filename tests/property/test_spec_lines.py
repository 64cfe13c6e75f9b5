"""The line of every key is found, however the TOML is laid out."""

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fleetloop_hub.spec.lines import Path, key_lines, line_of

names = st.text("ab-_1", min_size=1, max_size=3) | st.text(" .#=[]\"'é{}\n", max_size=3)
texts = st.text(" ab#=[]{}\"'\\\n,", max_size=8)
space = st.sampled_from(["", " ", "\t"])
blanks = st.lists(st.sampled_from(["", "# [x]", '  # a = "b', "\t"]), max_size=2)


def key(draw: st.DrawFn, name: str) -> str:
    bare = name and all(c in "ab-_1" for c in name)
    if bare and draw(st.booleans()):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def text_value(draw: st.DrawFn, text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    form = draw(st.sampled_from(["basic", "long", "literal", "long literal"]))
    if form == "long":
        return f'"""{escaped}"""'
    if form == "literal" and "'" not in text and "\n" not in text:
        return f"'{text}'"
    if form == "long literal" and "''" not in text and not text.endswith("'"):
        return f"'''{text}'''"
    return '"' + escaped.replace("\n", "\\n") + '"'


class Page:
    """A TOML document that grows, with the line that each path should have."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw, self.text = draw, ""
        self.where: dict[Path, int] = {}

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def gap(self) -> None:
        self.text += "".join(f"{line}\n" for line in self.draw(blanks))

    def table(self, path: Path, depth: int) -> None:
        for name in self.draw(st.lists(names, max_size=3, unique=True)):
            self.gap()
            self.where[*path, name] = self.line
            self.text += f"{key(self.draw, name)}{self.draw(space)}={self.draw(space)}"
            self.value((*path, name), depth)
            self.text += self.draw(st.sampled_from(["\n", " # = 1\n", "\r\n"]))

    def value(self, path: Path, depth: int) -> None:
        kinds = ["text", "number", "date"] + (["list", "inline"] if depth else [])
        match self.draw(st.sampled_from(kinds)):
            case "text":
                self.text += text_value(self.draw, self.draw(texts))
            case "number":
                self.text += self.draw(st.sampled_from(["1", "-2.5e3", "true", "0xff", "1_000"]))
            case "date":
                self.text += self.draw(st.sampled_from(["2020-01-01", "2020-01-01 10:00:00Z"]))
            case "list":
                self.items(path, depth)
            case _:
                self.inline(path, depth)

    def items(self, path: Path, depth: int) -> None:
        self.text += "["
        for place in range(self.draw(st.integers(0, 3))):
            self.text += self.draw(st.sampled_from(["", "\n", " # ]\n", " "]))
            self.where[*path, place] = self.line
            self.value((*path, place), depth - 1)
            self.text += self.draw(st.sampled_from([",", " ,", "\n,", " # x\n,"]))
        self.text += "]"

    def inline(self, path: Path, depth: int) -> None:
        pairs = self.draw(st.lists(names, max_size=2, unique=True))
        self.text += "{"
        for place, name in enumerate(pairs):
            self.where[*path, name] = self.line
            self.text += f"{', ' if place else ' '}{key(self.draw, name)} = "
            self.value((*path, name), depth - 1)
        self.text += " }"


@st.composite
def pages(draw: st.DrawFn) -> Page:
    page = Page(draw)
    page.table((), 2)
    for number in range(draw(st.integers(0, 3))):
        top = f"t{number}"
        for place in range(draw(st.integers(1, 3))):
            page.gap()
            page.where.setdefault((top,), page.line)
            page.where[top, place] = page.line
            page.text += f"[[ {top} ]]\n"
            page.table((top, place), 2)
            page.where[top, place, "sub table"] = page.line
            page.text += f'[{top}."sub table"]  # inside\n'
            page.table((top, place, "sub table"), 1)
    return page


def dug(tables: Any, path: Path) -> bool:  # noqa: ANN401  # any TOML
    try:
        for part in path:
            tables = tables[part]
    except (KeyError, IndexError, TypeError):
        return False
    return True


@given(pages())
def test_every_key_is_found_on_its_line(page: Page) -> None:
    tables = tomllib.loads(page.text)
    lines = key_lines(page.text)
    for path, line in page.where.items():
        assert dug(tables, path)
        assert lines[path] == line
    assert all(dug(tables, path) for path in lines)


def test_dotted_keys_and_tables_without_a_header_are_found() -> None:
    text = 'a.b."c.d" = 1\n[x.y]\nz = 1\n[[x.y.w]]\n[[x.y.w]]\nv.u = """\n[q]\n"""\n'
    lines = key_lines(text)
    assert lines[("a", "b", "c.d")] == 1
    assert lines[("x",)] == lines[("x", "y")] == 2
    assert lines[("x", "y", "w", 1)] == 5
    assert lines[("x", "y", "w", 1, "v", "u")] == 6
    assert ("q",) not in lines


def test_key_that_is_missing_is_shown_where_its_table_begins() -> None:
    lines = key_lines("\n[a]\nb = 1\n")
    assert line_of(lines, ("a", "missing", 3)) == 2
    assert line_of(lines, ("nowhere",)) == 1
