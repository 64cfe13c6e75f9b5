"""Power fails at every moment of the stories of one device, and the disk is in every trouble."""

from collections.abc import Callable, Iterator

import pytest

from fleetloop_firmware_sim.crash import Image
from fleetloop_firmware_sim.power import Moments, PowerCut
from fleetloop_firmware_sim.scenarios.device_story import DeviceStory
from fleetloop_firmware_sim.scenarios.power_cut import Sight
from fleetloop_firmware_sim.scenarios.situation import Situation
from fleetloop_firmware_sim.scenarios.update_story import Update, UpdateStory
from support import power_cut_page
from support.wrong_protocols import CAUGHT_BY, WRONG


def test_no_promise_is_broken_by_any_cut_or_trouble_and_the_page_says_what_was_tried() -> None:
    findings = power_cut_page.quick()
    assert [text for finding in findings for text in finding.broken] == []
    assert all(finding.lives for finding in findings)
    assert power_cut_page.printed("quick") == power_cut_page.rows(findings), "run: make powercut"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_protocol_is_found_out(name: str) -> None:
    with WRONG[name]():
        found = next(power_cut_page.violations(*CAUGHT_BY[name]), None)
    assert found is not None


def test_what_is_seen_at_a_moment_is_what_a_cut_there_leaves() -> None:
    story = UpdateStory(Update.GOOD)
    sight: Sight[Situation] = Sight(1_000, 0)
    story.live(story.beginning, sight)
    for cut in sight.cuts[::25]:
        seen = {beginning.image.key for beginning in cut.beginnings}
        assert seen == {image.key for image in left_by_a_cut(story, cut.moment)}


def left_by_a_cut(story: DeviceStory, moment: int) -> Iterator[Image]:
    power = Moments(cut_at=moment)
    life = story.power_on(story.beginning, power)
    with pytest.raises(PowerCut):
        run(life.board.start, lambda: story.finish(life))
    yield from life.board.cut().every()


def run(*acts: Callable[[], object]) -> None:
    for act in acts:
        act()
