"""How much attention states and events want."""

from fleetloop_hub.fleet_records import UNDER_WAY, RolloutState
from fleetloop_hub.monitoring.overview import Level
from fleetloop_shared.reports import EventKind

EVENT = {
    EventKind.ROLLED_BACK: Level.WARN,
    EventKind.FAULT: Level.BAD,
    EventKind.COMMITTED: Level.GOOD,
}
ROLLOUT = {
    **dict.fromkeys(UNDER_WAY, Level.BUSY),
    RolloutState.WAITING: Level.WARN,
    RolloutState.PAUSED: Level.WARN,
    RolloutState.HALTING: Level.BAD,
    RolloutState.DONE: Level.GOOD,
    RolloutState.REVERTED: Level.BAD,
    RolloutState.ABORTED: Level.WARN,
    RolloutState.SUPERSEDED: Level.OFF,
    RolloutState.EXPIRED: Level.WARN,
}
