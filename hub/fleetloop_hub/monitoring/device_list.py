"""Which devices of a long list are meant, and in which order they come."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fleetloop_hub.monitoring.overview import DeviceView, Level
from fleetloop_hub.monitoring.overview_accuracy import below_the_gate
from fleetloop_shared import label_query

Key = Callable[[DeviceView], float | str | None]

STATES: dict[str, Callable[[DeviceView], bool]] = {
    "online": lambda d: d.online,
    "offline": lambda d: not d.online and d.seen_at is not None,
    "never heard of": lambda d: d.seen_at is None,
    "updating": lambda d: d.target not in {None, d.version},
    "wants attention": lambda d: d.level in {Level.WARN, Level.BAD},
}
"""How devices are told apart at a glance; one may be in several."""

ALARMS: dict[str, Callable[[DeviceView], bool]] = {
    "drift": lambda d: d.alarm,
    "apart": lambda d: bool(d.odd),
    "below its gate": lambda d: bool(below_the_gate([d])),
    "none": lambda d: not (d.alarm or d.odd or below_the_gate([d])),
}
"""What may be wrong with a device's rows or answers."""

ORDERS: dict[str, Key] = {
    "device": lambda d: d.device,
    "state": lambda d: list(Level).index(d.level),
    "version": lambda d: None if d.version is None else f"{d.model} {d.version:09d}",
    "rows": lambda d: d.rows,
    "drift": lambda d: d.drift_ratio,
    "slowest": lambda d: d.health.latency_p99_ms if d.health else None,
    "accuracy": lambda d: d.accuracy,
    "outbox": lambda d: d.outbox,
    "seen": lambda d: d.seen_at,
}
"""What a list can be ordered by."""


@dataclass(frozen=True)
class Wish:
    """Which devices are wanted; what is "" is not asked for.

    Attributes:
        state: One of `STATES`.
        cohort: Their cohort.
        hardware: Their hardware type.
        version: What they have loaded, MODEL@NUMBER.
        alarm: One of `ALARMS`.
        text: Occurs in the name, the labels or what is said of them.
        where: A label query.
    """

    state: str = ""
    cohort: str = ""
    hardware: str = ""
    version: str = ""
    alarm: str = ""
    text: str = ""
    where: str = ""

    @property
    def by_label(self) -> bool:
        """Whether it says nothing that will be otherwise in an hour."""
        return not (self.state or self.version or self.alarm or self.text)


def matching(devices: Iterable[DeviceView], wish: Wish) -> list[DeviceView]:
    """The devices that are wanted, in the order in which they come.

    Raises:
        QueryError: `where` is no label query.
    """
    query, text = label_query.parse(wish.where), wish.text.casefold()
    is_in = STATES.get(wish.state, _any)
    alarmed = ALARMS.get(wish.alarm, _any)
    return [
        d
        for d in devices
        if (not wish.cohort or d.cohort == wish.cohort)
        and (not wish.hardware or d.hardware == wish.hardware)
        and (not wish.version or loaded(d) == wish.version)
        and (not text or any(text in said.casefold() for said in _said(d)))
        and is_in(d)
        and alarmed(d)
        and query(label_query.known(d.device, d.hardware, d.called))
    ]


def ordered(devices: list[DeviceView], by: str, *, largest_first: bool) -> list[DeviceView]:
    """The same by one of `ORDERS`; what does not say comes last, either way."""
    key = ORDERS[by]
    keyed = [(key(d), d) for d in devices]
    told = [(value, d) for value, d in keyed if value is not None]
    told.sort(key=lambda pair: pair[0], reverse=largest_first)
    return [d for _, d in told] + [d for value, d in keyed if value is None]


def counts(devices: list[DeviceView]) -> dict[str, int]:
    """How many devices are in each of `STATES`."""
    return {name: sum(map(is_in, devices)) for name, is_in in STATES.items()}


def loaded(device: DeviceView) -> str:
    """What a device has loaded, MODEL@NUMBER; "" for nothing."""
    return "" if device.version is None else f"{device.model}@{device.version}"


def _said(device: DeviceView) -> list[str]:
    labels = [f"{name}={value}" for name, value in device.called.items()]
    return [device.device, device.words, device.drift_feature or "", *labels]


def _any(_: DeviceView) -> bool:
    return True
