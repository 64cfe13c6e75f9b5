"""The real agent is killed by SIGKILL between two durable steps, and goes on by itself.

Here at one step of two stories; `make kill` does it at every step, and to hub and broker as well.
"""

from collections.abc import Iterator

import pytest

from support import strace
from support.brokers import mosquitto_is_missing
from support.killed_agent import FAILING, GOOD, KillRig, Story

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(strace.is_missing(), reason="apt-get install strace"),
    pytest.mark.skipif(mosquitto_is_missing(), reason="mosquitto is not installed"),
]


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KillRig]:
    with KillRig(tmp_path_factory.mktemp("killed")) as rig:
        yield rig


@pytest.mark.parametrize(
    ("story", "call", "nth"),
    [(GOOD, "fsync", 24), (FAILING, "rename", 14)],
    ids=lambda value: value.name if isinstance(value, Story) else str(value),
)
def test_a_killed_agent_goes_on_and_ends_as_the_update_must(
    rig: KillRig, story: Story, call: str, nth: int
) -> None:
    rig.begin(story)
    outcome = rig.kill(story, call, nth)
    assert outcome.killed
    assert outcome.violations == []
