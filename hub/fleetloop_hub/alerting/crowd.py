"""Bounds how many alerts there can be: what is too much of one kind becomes one alert."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from fleetloop_hub.alert_records import AlertKind, AlertLevel
from fleetloop_hub.alerting.condition import Cause, Condition, listed, some
from fleetloop_hub.alerting.terms import TERMS

MOST_A_KIND = 20
"""Conditions of one kind that are told apart."""
OTHERS = "others"
"""The subject of the alert about all others."""


def bounded(conditions: Iterable[Condition], alerts: Collection[Cause]) -> list[Condition]:
    """The same conditions, those beyond the twentieth of a kind made one.

    Args:
        conditions: What stands.
        alerts: Which alerts stand: their conditions are told apart before others.
    """
    kinds: defaultdict[AlertKind, dict[str, Condition]] = defaultdict(dict)
    for condition in conditions:
        kinds[condition.kind][condition.subject] = condition
    found: list[Condition] = []
    for kind, of_kind in kinds.items():
        ordered = sorted(of_kind.values(), key=lambda c: (c.cause not in alerts, c.subject))
        found += ordered[:MOST_A_KIND]
        if rest := ordered[MOST_A_KIND:]:
            found.append(_together(kind, rest))
    return found


def _together(kind: AlertKind, rest: list[Condition]) -> Condition:
    names = [condition.subject for condition in rest]
    bad = any(condition.level is AlertLevel.BAD for condition in rest)
    return Condition(
        kind=kind,
        subject=OTHERS,
        level=AlertLevel.BAD if bad else AlertLevel.WARN,
        text=f"{len(rest):,} others: {TERMS[kind].says} ({listed(names)})",
        page=rest[0].page,
        count=len(rest),
        names=some(names),
    )
