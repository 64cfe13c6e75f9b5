"""Cuts the power at every moment of a story, and lives every life that can begin from there.

A story is told once, and at each of its moments it is asked what a cut there would leave: every
legal state of the flash, and the world as it was. From each of them the device is powered on again;
at the moments of that life the power may be cut once more. Lives that begin alike are lived once.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fleetloop_firmware_sim.crash import Aftermath, Image
from fleetloop_firmware_sim.flash import Flash
from fleetloop_firmware_sim.power import Moments, PowerCut


class BrokenPromiseError(Exception):
    """Something was done that must never be done; the text says what."""


@dataclass(frozen=True)
class Effort:
    """How much of what can happen is looked at; what is not named is looked at whole.

    Attributes:
        every: Cut at every so manieth moment.
        states: States of the flash after each cut, of the many there may be.
        again_every: From every so manieth different state, power is cut again in the recovery, at
            each of its moments; 0: never.
        again_states: States of the flash after each of those second cuts.
        seed: For the choice of states.
    """

    every: int
    states: int
    again_every: int
    again_states: int
    seed: int = 0


QUICK = Effort(every=4, states=3, again_every=50, again_states=1)
THOROUGH = Effort(every=1, states=500, again_every=60, again_states=2)
EXHAUSTIVE = Effort(every=1, states=100_000, again_every=1, again_states=4)


B = TypeVar("B", bound="Beginning")


class Beginning(ABC):
    """Where a life begins: what is in the flash, and the world around it."""

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """Equal for beginnings from which the same life follows."""


@dataclass(frozen=True)
class Left(Generic[B]):
    """What a cut leaves.

    Attributes:
        aftermath: The flash, in all its legal states.
        begin: The life that begins from one of them.
    """

    aftermath: Aftermath
    begin: Callable[[Image], B]


@dataclass(frozen=True)
class Cut(Generic[B]):
    """One moment at which power can fail.

    Attributes:
        moment: Its number, from 1.
        act: What does not happen any more.
        beginnings: The lives that can begin from there.
    """

    moment: int
    act: str
    beginnings: list[B]


class Watched(Moments, Generic[B]):
    """Power whose moments are looked at.

    Attributes:
        left: Asks whoever is under power what a cut now would leave; None before there is anybody.
        flash: What is under it.
    """

    left: Callable[[], Left[B]] | None = None
    flash: Flash | None = None

    def rest(self) -> None:
        """A step of the device has ended.

        Raises:
            PowerCut: It was the last one.
        """


class Sight(Watched[B]):
    """Power that does not fail, and at each moment sees what would be left if it did.

    Attributes:
        cuts: What was seen.
    """

    def __init__(self, states: int, seed: int) -> None:
        """Switch on.

        Args:
            states: How many states of the flash are looked at, at each moment.
            seed: Chooses them where there are more.
        """
        super().__init__()
        self.cuts: list[Cut[B]] = []
        self._states = states
        self._seed = seed

    def tick(self, what: str) -> None:
        if self.on and self.left is not None:
            left = self.left()
            images = left.aftermath.some(self._states, self._seed + self.passed)
            self.cuts.append(Cut(self.passed + 1, what, [left.begin(i) for i in images]))
        super().tick(what)


class Story(ABC, Generic[B]):
    """What happens to one device, or to one hub, and what must be true all along.

    Attributes:
        name: What the reports call it.
    """

    name: str

    @property
    @abstractmethod
    def beginning(self) -> B:
        """Where it begins."""

    @abstractmethod
    def check(self, beginning: B) -> None:
        """See that the flash holds what it must, whatever the cut has left.

        Raises:
            BrokenPromiseError: It does not.
        """

    @abstractmethod
    def live(self, beginning: B, moments: Moments) -> None:
        """Live to the end.

        Args:
            beginning: Where.
            moments: The power supply; one that is `Watched` is given its `left`.

        Raises:
            BrokenPromiseError: A promise was broken, or the end does not come.
            PowerCut: The power failed.
        """


@dataclass
class Outcome:
    """What came of one moment.

    Attributes:
        moment: Its number, from 1.
        act: What happened then.
        states: Lives that could begin there, also those that were lived before.
        lives: Lives that were lived from there, also after a second cut.
        broken: Promises that were broken, in words.
    """

    moment: int
    act: str
    states: int = 0
    lives: int = 0
    broken: list[str] = field(default_factory=list)


class Search(Generic[B]):
    """Every life of one story."""

    def __init__(self, story: Story[B], effort: Effort) -> None:
        """Tell the story once, to know its moments.

        Args:
            story: Which.
            effort: How much is looked at.
        """
        self._story = story
        self._effort = effort
        self._known: set[Hashable] = set()
        self._after_first: set[Hashable] = set()
        first: Sight[B] = Sight(effort.states, effort.seed)
        self.broken = self._live(story.beginning, first)
        self._cuts = first.cuts[:: effort.every]

    def outcomes(self, *, backwards: bool = False) -> Iterator[Outcome]:
        """Every moment, one after the other; before them, the story without any cut.

        Args:
            backwards: Begin with the last moment: what is wrong is often wrong near the end.
        """
        if self.broken is not None:
            yield Outcome(0, "no cut", 1, 1, [self.broken])
        for cut in self._cuts[::-1] if backwards else self._cuts:
            outcome = Outcome(cut.moment, cut.act)
            self._cut_for_real(cut, outcome)
            self._begin_again(cut, outcome, again=True)
            yield outcome

    def _cut_for_real(self, cut: Cut[B], outcome: Outcome) -> None:
        """Nothing may go on when the power is gone."""
        power = Moments(cut_at=cut.moment)
        try:
            self._story.live(self._story.beginning, power)
        except PowerCut:
            return
        except BrokenPromiseError as error:
            outcome.broken.append(str(error))
            return
        outcome.broken.append("it has gone on without power")

    def _begin_again(self, cut: Cut[B], outcome: Outcome, *, again: bool) -> None:
        outcome.states += len(cut.beginnings)
        for beginning in cut.beginnings:
            key = beginning.key
            is_new = key not in self._known
            self._known.add(key)
            outcome.lives += is_new
            if again and self._is_cut_again(key):
                self._cut_again(beginning, outcome)
            elif is_new and (text := self._live(beginning, Moments())) is not None:
                outcome.broken.append(text)

    def _is_cut_again(self, key: Hashable) -> bool:
        """Whether it is this one's turn, of the different beginnings after a first cut."""
        every = self._effort.again_every
        if not every or key in self._after_first:
            return False
        self._after_first.add(key)
        return len(self._after_first) % every == 0

    def _cut_again(self, beginning: B, outcome: Outcome) -> None:
        """Live on, and begin again from every moment of the recovery."""
        second: Sight[B] = Sight(self._effort.again_states, self._effort.seed)
        text = self._live(beginning, second)
        if text is not None:
            outcome.broken.append(text)
        for cut in second.cuts:
            inner = Outcome(cut.moment, cut.act)
            self._begin_again(cut, inner, again=False)
            outcome.states += inner.states
            outcome.lives += inner.lives
            where = f"cut again at its moment {cut.moment}, {cut.act}"
            outcome.broken += [f"{where}: {text}" for text in inner.broken]

    def _live(self, beginning: B, moments: Moments) -> str | None:
        try:
            self._story.check(beginning)
            self._story.live(beginning, moments)
        except BrokenPromiseError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  # whatever ends an agent is a finding
            return f"it has crashed: {error!r}"
        return None
