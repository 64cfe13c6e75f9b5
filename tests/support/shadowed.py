"""A challenger's seat in a test, beside a real predictor with small real models."""

from fleetloop_agent.errors import InputError, ModelError
from fleetloop_agent.ports import ChallengerSeat
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.beside import Beside
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_shared.ids import CHALLENGER_BOOTS
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.messages import Release, Shadow
from support import serving_rig as rig
from support.agent_board import StandingClock


def terms(**changes: object) -> Shadow:
    """Every row is scored, no key is split, unless told otherwise."""
    release = Release(model="storm", version=2, manifest_sha256="0" * 64, manifest_bytes=1)
    given: dict[str, object] = {"release": release, "rows_share": 1.0, "most_delay_ms": 50.0}
    return Shadow(**given | {"cpu_share": 1.0, "salt": "s"} | changes)  # type: ignore[arg-type]  # a test's own


def beside(champion: Predictor, bias: float = 0.5, **changes: object) -> Beside:
    """A seat on which a challenger that is a little off sits."""
    runtime, clock = OrtRuntime(), StandingClock()
    own = Predictor(rig.DEVICE, CHALLENGER_BOOTS + 3, runtime, clock)
    made = Beside(champion, own, runtime, clock)
    made.seat(*rig.model(2, bias), terms(**changes))
    return made


def drain(seat: Beside) -> None:
    """Score all that waits."""
    place = seat.seated
    while place is not None and len(place.queue):
        seat.step()


class MemorySeat(ChallengerSeat):
    """Seats whom it is told to; a test has it fail, refuse or be slow."""

    def __init__(self) -> None:
        self.seated: list[int] = []
        self.fault: str | None = None
        self.slow: str | None = None
        self.refuses: InputError | ModelError | None = None
        self._manifest: Manifest | None = None

    def seat(self, manifest: Manifest, artifact: bytes, terms: Shadow) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.seated.append(manifest.version)
        self._manifest, self.fault, self.slow = manifest, None, None

    def leave(self) -> None:
        self._manifest = None

    @property
    def manifest(self) -> Manifest | None:
        return self._manifest

    @property
    def too_slow(self) -> str | None:
        return self.slow
