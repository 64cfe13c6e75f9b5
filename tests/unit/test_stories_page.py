"""The page of the stories: every story has its marks, and what was told stands between them."""

from pathlib import Path

import pytest

from fleetloop_firmware_sim.stories import shelf
from support.stories_page import Telling, marks, table, write

PAGE = Path(__file__).parents[2] / "docs" / "stories.md"
TOLD = Telling("quiet", 2, kill_hub=False)
FOUND = {"story": "quiet", "seed": 2, "closed": True, "missing": [], "rows": 200_000}


def test_every_story_has_a_part_and_its_marks_in_the_page() -> None:
    text = PAGE.read_text("utf-8")
    for story in shelf.STORIES:
        begin, end = marks(story.name)
        assert f"\n## {story.name}\n" in text
        assert text.count(begin) == text.count(end) == 1
        assert text.index(begin) < text.index(end)


def test_what_stands_in_the_page_has_the_form_that_a_run_writes() -> None:
    text = PAGE.read_text("utf-8")
    for story in shelf.STORIES:
        begin, end = marks(story.name)
        lines = text.split(begin, 1)[1].split(end, 1)[0].strip().splitlines()
        if lines:
            assert lines[0].startswith("|  | seed ")
            assert lines[2].startswith("| ended right | ")
            assert f"fleetloop demo --story {story.name} --seed " in lines[-2]


def test_a_run_replaces_its_own_part_and_leaves_the_others(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{'STALE'.join(marks('quiet'))} {'KEPT'.join(marks('fraud'))}", "utf-8")
    write(page, [(TOLD, FOUND)])
    text = page.read_text("utf-8")
    assert "STALE" not in text
    assert "KEPT" in text
    assert "| rows | 200,000 |" in text


def test_a_story_that_did_not_end_right_says_what_is_missing() -> None:
    wrong = {**FOUND, "closed": False, "missing": ["reports were lost"]}
    assert "**no**: reports were lost" in table([(TOLD, wrong)])


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing", "utf-8")
    with pytest.raises(ValueError, match="told: quiet"):
        write(page, [(TOLD, FOUND)])
