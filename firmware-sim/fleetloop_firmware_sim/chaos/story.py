"""A story as data: who is in it, and what happens to them when; one seed or one file is enough."""

from enum import StrEnum

import msgspec

HUB, BROKER, ATTACKER, AIR = "hub", "broker", "attacker", "network"
"""Who things happen to, besides devices."""


class Flavour(StrEnum):
    """What is the matter with a release.

    Attributes:
        GOOD: Nothing.
        BRITTLE: It fails on rows of its trial, though not on its golden rows.
        LYING: Its golden outputs are not what it answers, so that its self-test fails.
        BROKEN: Its artifact is no model.
        DEADLY: It ends the agent whenever it is loaded to serve.
    """

    GOOD = "good"
    BRITTLE = "brittle"
    LYING = "lying"
    BROKEN = "broken"
    DEADLY = "deadly"


class Kind(StrEnum):
    """What can happen."""

    ROLL_OUT = "roll-out"
    POWER = "power"
    FULL = "full"
    ROT = "rot"
    READ_ONLY = "read-only"
    UNREADABLE = "unreadable"
    PARTITION = "partition"
    STORM = "storm"
    REPLAY = "replay"
    RESTART = "restart"
    JUMP = "jump"
    DRIFT = "drift"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happens; what its numbers mean depends on its kind, see `words`.

    Attributes:
        at_s: Seconds after the beginning.
        kind: What.
        who: A device's name, or one of the four others.
        count: Acts of the one whose power fails or whose disk is full; a version; a place by lot.
        for_s: How long.
        ratio: How much.
        place: Power fails so many acts after the next one whose words hold this.
        lot: Decides what is left to chance in it.
    """

    at_s: float
    kind: Kind
    who: str
    count: int = 0
    for_s: float = 0.0
    ratio: float = 0.0
    place: str = ""
    lot: int = 0

    @property
    def words(self) -> str:
        """The same for people."""
        here = f"its next {self.place!r}" if self.place else "here"
        return f"{self.at_s:6.1f} s  {_WORDS[self.kind].format(a=self, here=here)}"


_WORDS = {
    Kind.ROLL_OUT: "the hub is asked to roll out version {a.count} to cohort {a.who}",
    Kind.POWER: "power of {a.who} fails at its act {a.count} from {here}, for {a.for_s:.0f} s",
    Kind.FULL: "{a.count} acts of {a.who} find its disk full",
    Kind.ROT: "a bit rots on the disk of {a.who}",
    Kind.READ_ONLY: "the disk of {a.who} becomes read-only, until it reboots after {a.for_s:.0f} s",
    Kind.UNREADABLE: "a file of {a.who} cannot be read for {a.for_s:.0f} s",
    Kind.PARTITION: "{a.who} has no network for {a.for_s:.0f} s",
    Kind.STORM: "the network loses, delays, doubles and garbles {a.ratio:.0%} for {a.for_s:.0f} s",
    Kind.REPLAY: "an attacker publishes a recorded message again, {a.count} times",
    Kind.RESTART: "the broker stops, and comes back empty after {a.for_s:.0f} s",
    Kind.JUMP: "the clock of {a.who} jumps by {a.for_s:+,.0f} s",
    Kind.DRIFT: "the clock of {a.who} runs {a.ratio:+.0%} wrong from here",
}


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides how it goes.

    Attributes:
        seed: For all that is left to chance.
        devices: The cohort of each device, by its name.
        releases: What is the matter with each version, from 1.
        acts: What happens, in order.
        quiet_s: When trouble ends, in seconds; from then on everybody must find together.
    """

    seed: int
    devices: dict[str, str]
    releases: list[Flavour]
    acts: list[Act]
    quiet_s: float

    @property
    def words(self) -> list[str]:
        """The story as a list, a line an event."""
        cast = ", ".join(f"{device} in cohort {cohort}" for device, cohort in self.devices.items())
        versions = ", ".join(f"{n} is {f}" for n, f in enumerate(self.releases, start=1))
        told = [act.words for act in self.acts]
        quiet = f"{self.quiet_s:6.1f} s  all trouble ends"
        return [f"devices: {cast}", f"versions: {versions}", *told, quiet]


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a story ended.

    Attributes:
        seed: Its seed.
        broken: The promise that was broken, in words; None: all is well.
        seconds: Virtual seconds it took.
        rollouts: How many rollouts ended in each state.
        trace: SHA-256 of all that happened.
        lines: What happened, if it was asked for.
    """

    seed: int
    broken: str | None
    seconds: float
    rollouts: dict[str, int]
    trace: str
    lines: list[str] = []
