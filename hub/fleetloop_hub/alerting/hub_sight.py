"""Conditions of the hub itself: attempts refused, keys that end, room on its disk."""

from collections import defaultdict
from collections.abc import Callable

from fleetloop_hub.alert_records import AlertKind, AlertLevel
from fleetloop_hub.alerting.condition import Condition, some
from fleetloop_hub.config import DAY_S, Lives
from fleetloop_hub.monitoring.attempts import NAMES
from fleetloop_hub.monitoring.overview import Level
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import Refusal
from fleetloop_hub.trust.shown import Threshold, TrustView, Waiting

RECENT_S = 60.0
"""An attempt wants attention for so long after the last one."""
LOW_BYTES = 1_000_000_000
VERY_LOW_BYTES = 200_000_000
_READ = 500
_LONGEST = 200


def attacks(telemetry: Telemetry) -> Callable[[float], list[Condition]]:
    """What was refused just now that no accident explains."""

    def look(now: float) -> list[Condition]:
        found: defaultdict[str, list[Refusal]] = defaultdict(list)
        for refusal in telemetry.last_refusals(_READ):
            level, _ = NAMES.get(refusal.reason, NAMES["other"])
            if level is Level.BAD and now - refusal.at < RECENT_S:
                found[refusal.reason].append(refusal)
        return [_attack(reason, refusals) for reason, refusals in found.items()]

    return look


def _attack(reason: str, refusals: list[Refusal]) -> Condition:
    last = max(refusals, key=lambda r: r.at)
    names = {refusal.source for refusal in refusals}
    where = f" on {last.topic}" if last.topic else ""
    text = f"{NAMES[reason][1]}: refused at {last.source}{where}: {last.text[:_LONGEST]}"
    return Condition(AlertKind.ATTACK, reason, AlertLevel.BAD, text, "/", len(names), some(names))


def keys(view: Callable[[float], TrustView], lives: Lives) -> Callable[[float], list[Condition]]:
    """What people have signed that ends, and what waits for their signatures."""

    def look(now: float) -> list[Condition]:
        shown = view(now)
        ending = [_ending(t, now) for t in shown.thresholds if _ends(t, lives, now)]
        return ending + [_unsigned(w) for w in shown.waiting if w.missing]

    return look


def _ends(threshold: Threshold, lives: Lives, now: float) -> bool:
    ends = threshold.expires_at
    return threshold.by_people and ends is not None and ends - now < lives.announce_s


def _ending(threshold: Threshold, now: float) -> Condition:
    left_s = (threshold.expires_at or now) - now
    what = f"{threshold.repository} {threshold.role}"
    text = f"{what} expires in {left_s / DAY_S:.0f} days: people must sign"
    if left_s <= 0:
        text = f"{what} has expired: devices install nothing until people have signed it anew"
    level = AlertLevel.BAD if left_s <= 0 else AlertLevel.WARN
    subject = f"{threshold.repository}-{threshold.role}"
    return Condition(
        AlertKind.KEYS_ENDING, subject, level, f"{text}; see fleetloop keys list", "/trust"
    )


def _unsigned(waiting: Waiting) -> Condition:
    text = (
        f"{waiting.repository} {waiting.role} version {waiting.version} waits for signatures, it "
        f"has {waiting.progress}: fleetloop keys sign --key FILE ({', '.join(waiting.missing)})"
    )
    subject = f"keys@{waiting.repository}-{waiting.role}"
    return Condition(AlertKind.APPROVAL_WAITING, subject, AlertLevel.WARN, text, "/trust")


def disk(free_bytes: Callable[[], int]) -> Callable[[float], list[Condition]]:
    """Whether room becomes scarce where the hub keeps its state."""

    def look(_now: float) -> list[Condition]:
        free = free_bytes()
        if free >= LOW_BYTES:
            return []
        level = AlertLevel.BAD if free < VERY_LOW_BYTES else AlertLevel.WARN
        text = (
            f"{free / 1e6:,.0f} MB are free where the hub keeps its state: give it room, or give "
            "up old versions with fleetloop models retain"
        )
        return [Condition(AlertKind.DISK, "hub", level, text, "/system")]

    return look
