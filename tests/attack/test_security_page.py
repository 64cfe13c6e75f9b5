"""The table of attacks names tests that exist and classes that are told, and leaves none out."""

import re
from pathlib import Path

import pytest

from fleetloop_hub.monitoring.attempts import NAMES

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "security.md").read_text("utf-8")
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| `(\w+)::(\w+)` \| (.+?) \|$", PAGE, re.MULTILINE)
NO_CLASS = {"nothing happens", "fetched again"}
_NAMELESS = {"other", "refused"}
"""What stands for names that are none of ours."""


def test_every_line_of_the_table_is_a_row() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert len(ROWS) == len(lines) - 2 > 30


@pytest.mark.parametrize(("attack", "stops", "file", "test", "kind"), ROWS)
def test_the_test_of_a_row_exists_and_its_class_is_one_that_is_told(
    attack: str, stops: str, file: str, test: str, kind: str
) -> None:
    assert attack != stops
    text = (HERE / f"test_{file}.py").read_text("utf-8")
    assert f"def test_{test}(" in text
    assert kind in NO_CLASS or kind.strip("`") in NAMES


def test_no_file_of_attacks_and_no_class_is_left_out() -> None:
    files = {path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")}
    assert files - {"security_page"} == {file for _, _, file, _, _ in ROWS}
    assert {name for name in NAMES if f"`{name}`" not in PAGE} == _NAMELESS
