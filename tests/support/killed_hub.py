"""Kills the broker in the middle of a transfer, and the hub in the middle of a rollout."""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fleetloop_hub.errors import RemoteError
from support import strace
from support.killed_agent import Outcome
from support.world import WINDOW, World

END_S = 4.0
"""After so long, a rollout makes no further call."""

HUB_CALLS = ("rename", "fsync", "fdatasync", "sendto")
"""What moves something durable, and what is published."""


@dataclass(frozen=True)
class Restart:
    """A broker that is restarted in the middle of a transfer.

    Attributes:
        name: What happens.
        persistent: Whether it keeps retained messages when it is ended.
        killed: By SIGKILL, not by SIGTERM.
        off_s: How long it is away.
    """

    name: str
    persistent: bool
    killed: bool
    off_s: float = 0.0


RESTARTS = (
    Restart("ended, keeps all", persistent=True, killed=False),
    Restart("killed, keeps what it saved", persistent=True, killed=True),
    Restart("ended, starts empty", persistent=False, killed=False),
    Restart("killed, starts empty", persistent=False, killed=True),
    Restart("killed, away for 3 s, starts empty", persistent=False, killed=True, off_s=3.0),
)


def restart_broker(world: World, how: Restart, chunks: int) -> Outcome:
    """Restart the broker when the device has some chunks of the artifact."""
    with world.fresh(persistent=how.persistent) as said:
        mark = world.broker.mark()
        world.roll_out()
        world.fetching(chunks)
        if how.killed:
            world.broker.kill()
        else:
            world.broker.stop()
        time.sleep(how.off_s)
        world.broker.start()
        world.served()
        return _judged(world, mark, said.repeated(), killed=True)


def calls_of_rollout(world: World, file: Path) -> dict[str, int]:
    """How many calls of each kind the busiest thread of the hub makes in a rollout."""
    with world.fresh(), strace.recording_now(world.hub.pid, file, ",".join(HUB_CALLS)):
        world.roll_out()
        world.served()
    made = Counter((c.name, c.thread) for c in strace.recorded(file.read_text("utf-8", "replace")))
    return {
        name: max((n for (of, _), n in made.items() if of == name), default=0) for name in HUB_CALLS
    }


def kill_hub(world: World, name: str, nth: int, *, broker_too: bool = False) -> Outcome:
    """Kill the hub at a call in a rollout, start it again; whoever got no answer asks again."""
    with world.fresh(persistent=not broker_too) as said:
        mark = world.broker.mark()
        with strace.killing_later(world.hub.pid, name, nth):
            with suppress(RemoteError):
                world.roll_out()
            deadline = time.monotonic() + END_S
            while world.hub.ended is None and time.monotonic() < deadline:
                time.sleep(0.01)
            killed = world.hub.ended is not None
        before = said.contents()
        world.hub.kill()
        if broker_too:
            world.broker.kill()
            world.broker.start()
        known = world.sequence()
        world.hub.start()
        if not known:
            world.roll_out()
        world.served()
        wrong = said.repeated()
        wrong += [f"{topic} {v} is gone" for topic, v in set(before) - set(said.contents())]
        return _judged(world, mark, wrong, killed=killed)


def _judged(world: World, mark: int, wrong: list[str], *, killed: bool) -> Outcome:
    refetched = world.refetched(mark)
    if refetched > WINDOW:
        wrong = [*wrong, f"{refetched} chunks came twice"]
    refusals = world.agent.until(bool, "its state")["refusals"]
    if refusals:
        wrong = [*wrong, f"the device has refused {refusals}"]
    return Outcome(killed, refetched, wrong)
