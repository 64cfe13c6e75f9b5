"""What a hub's bundles say, read the way a device reads them."""

from pathlib import Path

from fleetloop_agent.ports import Clock
from fleetloop_agent.trust.trust import Trust
from fleetloop_firmware_sim.flash import Flash
from fleetloop_hub.trust.trust import Trust as Signing
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.messages import DesiredState, EnrolAnswer
from support.agent_board import StandingClock

NOW = 1_700_000_000.0


def trust_in(folder: Path, now: float = NOW) -> Signing:
    """Both repositories of a hub that began then."""
    trust = Signing(RealDisk(folder))
    trust.open(now)
    return trust


def device_of(
    trust: Signing, cohort: str, clock: Clock | None = None, pins: tuple[str, str] | None = None
) -> Trust:
    """What a device of this hub believes: nothing yet."""
    image_root, director_root = pins or trust.pins(trust.root_versions())
    identity = EnrolAnswer(
        device="station-1",
        cohort=cohort,
        broker="mqtt://h",
        username="station-1",
        password="",
        image_root=image_root,
        director_root=director_root,
    )
    return Trust(identity, Flash(), clock or StandingClock(0.0))


def desired_in(trust: Signing, cohort: str, payload: bytes) -> DesiredState:
    """The statement that a device of this cohort finds in a bundle.

    Raises:
        RefusedError: It would not believe it.
    """
    desired = device_of(trust, cohort).take_director(payload, lambda *_: None)
    assert desired is not None
    return desired
