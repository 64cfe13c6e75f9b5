"""Writes the reports on a challenger: the comparison, and what it has answered."""

from collections.abc import Callable

from fleetloop_agent.ports import Board, Clock
from fleetloop_agent.serving.beside import Beside
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.reports import Draft, Reports
from fleetloop_shared.ids import CHALLENGER_BOOTS
from fleetloop_shared.reports import Report
from fleetloop_shared.shadow_report import ShadowCounts, ShadowReport
from fleetloop_shared.topics import Topic


class Shadowing:
    """The challenger's side of one device.

    Attributes:
        beside: Where a challenger runs; to be stepped in a thread of its own.
    """

    def __init__(self, device: str, champion: Predictor, board: Board) -> None:
        """Nobody runs beside the champion.

        Args:
            device: The device's name.
            champion: Whose rows a challenger sees.
            board: What it is plugged into.
        """
        runtime, clock = board.runtime.apart(), board.clock
        own = Predictor(device, CHALLENGER_BOOTS + board.outbox.boot, runtime, clock)
        self.beside = Beside(champion, own, runtime, clock)
        self._device, self._clock = device, clock
        self._reports = Reports(device, clock, board.host)

    def drafts(self, now: float, *, counts: bool) -> list[Draft]:
        """What there is to tell.

        Args:
            now: Monotonic seconds.
            counts: Whether to tell how the comparison stands, which is told now and then.
        """
        self.beside.look(now)
        drafts: list[Draft] = []
        for collected in self.beside.collect():
            drafts += self._reports.of(collected, self.beside.manifest)
        if counts:
            drafts += [
                (Topic.SHADOW, _report(self._device, self._clock, counted))
                for counted in self.beside.take()
            ]
        return drafts


def _report(device: str, clock: Clock, counted: ShadowCounts) -> Callable[[int, int], Report]:
    at = clock.now()

    def build(boot: int, seq: int) -> ShadowReport:
        return ShadowReport(device=device, boot=boot, seq=seq, at=at, counts=counted)

    return build
