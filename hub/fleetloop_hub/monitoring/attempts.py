"""What was tried on devices and hub and came to nothing, each attempt by its name.

A row is a name and whom it was tried on, never a message: a flood makes a number grow, not the
list. Devices report an attempt once and count the rest in their reported state.
"""

from collections.abc import Callable, Mapping

from fleetloop_hub.monitoring.overview import AttemptView, Level
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import Refusal
from fleetloop_shared.errors import reasons
from fleetloop_shared.messages import ReportedState

LISTED = 500

_OTHER = "other"

NAMES: dict[str, tuple[Level, str]] = {
    "arbitrary-software": (Level.BAD, "Arbitrary software"),
    "rollback": (Level.BAD, "Rollback: an old statement replayed"),
    "freeze": (Level.WARN, "Freeze: only expired metadata comes"),
    "endless-data": (Level.BAD, "Endless data"),
    "slow-retrieval": (Level.WARN, "Slow retrieval"),
    "fast-forward": (Level.BAD, "Fast-forward of version numbers"),
    "mix-and-match": (Level.BAD, "Mix and match of signed things"),
    "wrong-cohort": (Level.BAD, "Another cohort's statement"),
    "wrong-hardware": (Level.WARN, "Release for other hardware"),
    "below-floor": (Level.BAD, "Below the security floor"),
    "wrong-manifest": (Level.BAD, "Manifest that contradicts itself"),
    "self-test": (Level.WARN, "Signed model that fails its self-test"),
    "corrupt-chunk": (Level.BAD, "Tampered chunk"),
    "undecodable": (Level.WARN, "Malformed message"),
    "unusable-window": (Level.WARN, "Open window on its disk damaged, counted anew"),
    "foreign": (Level.WARN, "Message for somebody else"),
    "quarantined": (Level.WARN, "Model that has failed here before"),
    "unknown-device": (Level.WARN, "Device that never enrolled"),
    "impersonation": (Level.BAD, "Somebody speaks as this device"),
    "second-client": (Level.BAD, "Second client under this name"),
    "topic-injection": (Level.BAD, "Topic that nobody has made"),
    "forged-ack": (Level.BAD, "Forged acknowledgement"),
    "overwritten": (Level.BAD, "Hub's topic written over"),
    "replayed": (Level.BAD, "Hub's earlier message replayed"),
    "cleared": (Level.BAD, "Hub's topic cleared"),
    "unknown-content": (Level.WARN, "Unknown content asked for"),
    "implausible": (Level.WARN, "Report whose numbers cannot be"),
    "unstorable": (Level.WARN, "Report that cannot be kept"),
    "contradicting-report": (Level.BAD, "Second report of one number"),
    "contradicting-sample": (Level.WARN, "Second sample of one name"),
    "unknown-version": (Level.WARN, "Report of a version never released"),
    "retired-version": (Level.WARN, "Report of a version that was put away"),
    "unasked-samples": (Level.WARN, "Samples that no policy asks for"),
    "forbidden-field": (Level.BAD, "Value that is never to leave a device"),
    "over-budget": (Level.WARN, "Samples beyond the bytes of a day"),
    "wrong-clock": (Level.WARN, "Times put right: the device's clock is wrong"),
    "unknown-prediction": (Level.WARN, "Label of a prediction nobody made"),
    "future-label": (Level.WARN, "Label of the future"),
    "duplicate-label": (Level.WARN, "Label told twice, counted once"),
    "too-many-waiting": (Level.WARN, "Labels given up that waited for rows"),
    "contradicting-label": (Level.WARN, "Second label of one answer"),
    "unknown-class": (Level.WARN, "Label that is no class"),
    "subscription": (Level.WARN, "Broker lets the hub not read"),
    "refused": (Level.WARN, "Refused"),
    _OTHER: (Level.WARN, "Other refusal"),
}
"""What a person is told: how grave, and in words."""


def gather(
    telemetry: Telemetry, reported: Mapping[str, ReportedState], heard_at: Callable[[str], float]
) -> list[AttemptView]:
    """Every attempt that is kept, the last one first.

    Args:
        telemetry: What hub and devices have refused.
        reported: What devices say they have counted, of those that have refused anything.
        heard_at: When one of them was heard last, Unix seconds.
    """
    rows = {(r.by, r.source, r.reason): r for r in telemetry.last_refusals(LISTED)}
    for device, state in reported.items():
        for reason, count in _counted(state).items():
            key = (device, device, reason)
            row = rows.get(key)
            at = row.at if row else heard_at(device)
            text, topic = (row.text, row.topic) if row else ("", "")
            first_at = row.first_at if row else at
            most = max(count, row.count if row else 0)
            rows[key] = Refusal(device, reason, most, text, at, topic, first_at, by=device)
    views = [_view(row) for row in rows.values()]
    return sorted(views, key=lambda v: (-v.at, v.by, v.device, v.name))[:LISTED]


def _counted(state: ReportedState) -> dict[str, int]:
    """A device's counts, under names of ours only."""
    known, counts = reasons(), dict[str, int]()
    for reason, count in state.refusals.items():
        name = reason if reason in known else _OTHER
        counts[name] = counts.get(name, 0) + count
    return counts


def _view(row: Refusal) -> AttemptView:
    level, title = NAMES.get(row.reason, NAMES[_OTHER])
    return AttemptView(
        name=row.reason,
        title=title,
        level=level,
        by=row.by,
        device=row.source,
        topic=row.topic,
        text=row.text,
        count=row.count,
        first_at=row.first_at,
        at=row.at,
    )
