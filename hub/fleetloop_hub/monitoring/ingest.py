"""What devices say, on its way into telemetry: decoded, checked, stored, then acknowledged.

A device forgets a report only after the acknowledgement, and that is sent only after the commit;
whatever arrives twice is stored once. Nothing a device sends can stop the hub: what is refused is
counted with its source, reason and topic, one row a device and reason, however much it is. A report
whose numbers cannot be is refused and acknowledged: sending it again would not make it true.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from fleetloop_hub.errors import ImplausibleError, InjectionError, StrangerError
from fleetloop_hub.monitoring import plausible
from fleetloop_hub.monitoring.births import Births
from fleetloop_hub.monitoring.intrusions import UNKNOWN
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import DevicePulse, Refusal
from fleetloop_shared.codec import decode, decode_compressed, encode
from fleetloop_shared.errors import ImpersonationError, RefusedError, UndecodableError
from fleetloop_shared.link import Received
from fleetloop_shared.messages import Ack, ChunkRequest, DeviceState, Message, ReportedState
from fleetloop_shared.reports import Report
from fleetloop_shared.topics import ROOT, Address, Topic, parse

FILTERS = [f"{ROOT}/devices/+/up/#"]
"""What the hub subscribes to: everything that devices may say, and whatever else comes there."""


@dataclass(frozen=True)
class Outcome:
    """What came of a batch of messages.

    Attributes:
        acks: (topic, payload) to be published now that the reports are durable.
        requests: Chunks that devices miss: (device, request).
        stored: Reports taken in.
        reported: What devices say that they run and do, in order.
        fresh: Those of them that had not come before: kind and message.
    """

    acks: list[tuple[str, bytes]]
    requests: list[tuple[str, ChunkRequest]]
    stored: int
    reported: list[tuple[str, ReportedState]] = field(default_factory=list)
    fresh: list[tuple[str, Report]] = field(default_factory=list)


Vet = Callable[[Report, int, float], Report]
"""Takes a report, the bytes of its payload, and the hub's time; see `vetting`."""


class Ingest:
    """Takes in batches; keeps nothing between them but the last word of each device."""

    def __init__(
        self,
        telemetry: Telemetry,
        enrolled: Callable[[str], bool] = lambda _: True,
        vet: Vet = lambda report, _size, _now: report,
    ) -> None:
        """Recall each device's last birth or will, to tell a late will from a new one.

        Args:
            telemetry: Where it is kept.
            enrolled: Whether there is such a device; of others nothing is kept but a count.
            vet: Lets a report pass, as it is to be taken in, or says why not.
        """
        self._vet = vet
        self._telemetry = telemetry
        self._enrolled = enrolled
        self._births = Births()
        self._now = 0.0
        self._refused: dict[tuple[str, str], Refusal] = {}
        self._states = {p.device: state for p in telemetry.pulses() if (state := _state(p))}

    def take(self, messages: list[Received], now: float = 0.0) -> Outcome:
        """Take in a batch: one transaction, then the acknowledgements.

        Args:
            messages: What has come on the topics of devices.
            now: Unix seconds.
        """
        self._now = now
        reports: list[tuple[str, bytes, Report]] = []
        unbelieved: list[Report] = []
        requests: list[tuple[str, ChunkRequest]] = []
        reported: list[tuple[str, ReportedState]] = []
        for received in messages:
            address = parse(received.topic)
            device = address.names.get("device", "") if address else ""
            try:
                said = self._take(received, address, device)
            except RefusedError as error:
                source = device if device and self._enrolled(device) else UNKNOWN
                self._refuse(source, error, received.topic)
                continue
            if isinstance(said, Report):
                try:
                    plausible.check(said)
                    passed = self._vet(said, len(received.payload), now)
                except ImplausibleError as error:
                    self._refuse(device, error, received.topic)
                    unbelieved.append(said)
                    continue
                reports.append((received.topic.rpartition("/")[2], received.payload, passed))
            elif isinstance(said, ChunkRequest):
                requests.append((device, said))
            elif isinstance(said, ReportedState):
                reported.append((device, said))
        self._count_refused()
        fresh = self._telemetry.store(reports) if reports else []
        acks = _acks([*unbelieved, *(r for _, _, r in reports)], now)
        return Outcome(acks, requests, len(reports), reported, fresh)

    def _refuse(self, source: str, error: RefusedError, topic: str) -> None:
        """Note a refusal; those of a batch that are alike are written at once."""
        key = (source, error.reason)
        count = self._refused[key].count + 1 if key in self._refused else 1
        self._refused[key] = Refusal(source, error.reason, count, str(error), 0.0, topic)

    def _count_refused(self) -> None:
        for r in self._refused.values():
            self._telemetry.refuse(r.source, r.reason, r.text, r.topic, r.count)
        self._refused.clear()

    def _take(self, received: Received, address: Address | None, device: str) -> Message | None:
        if address is None or not device:
            raise InjectionError("a message on a topic that no device of this hub has")
        if not self._enrolled(device):
            raise StrangerError(f"a message in the name of {device}, which has not enrolled")
        if not received.payload:
            return None
        said = _decode(address, received.payload)
        if isinstance(said, Report) and said.device != device:
            raise ImpersonationError(f"a report of {said.device[:64]!r} on the topic of {device}")
        if isinstance(said, DeviceState):
            self._note_state(device, said, received)
        elif isinstance(said, ReportedState):
            self._telemetry.pulse(device, state=None, reported=received.payload)
        return said

    def _note_state(self, device: str, state: DeviceState, received: Received) -> None:
        last = self._states.get(device)
        try:
            self._births.check(device, state, last, self._now)
        except RefusedError as error:  # what was said last stands all the same
            self._refuse(device, error, received.topic)
        if last is not None and _is_late(state, last):
            return
        self._states[device] = state
        self._telemetry.pulse(device, state=received.payload, reported=None)


def _is_late(state: DeviceState, last: DeviceState) -> bool:
    """Whether it was said before `last`. A will does not know its connection, only its boot."""
    if state.online:
        return state.boot == last.boot and state.conn < last.conn
    return state.boot < last.boot


def _decode(address: Address, payload: bytes) -> Message:
    row = address.topic.row
    if row.message is None:
        raise UndecodableError(f"{row.path}: devices do not publish here")
    return (decode_compressed if row.compressed else decode)(payload, row.message)


def _acks(reports: list[Report], now: float) -> list[tuple[str, bytes]]:
    grouped: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for report in reports:
        grouped[report.device, report.boot].append(report.seq)
    return [
        (Topic.ACK.at(device=device), encode(Ack(boot=boot, seqs=sorted(set(seqs)), at=now)))
        for (device, boot), seqs in grouped.items()
    ]


def _state(pulse: DevicePulse) -> DeviceState | None:
    return None if pulse.state is None else decode(pulse.state, DeviceState)
