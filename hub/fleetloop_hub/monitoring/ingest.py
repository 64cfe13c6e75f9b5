"""What devices say, on its way into telemetry: decoded, checked, stored, then acknowledged.

A device forgets a report only after the acknowledgement, and that is sent only after the commit;
whatever arrives twice is stored once. Nothing a device sends can stop the hub: what is refused is
counted with its source and reason.
"""

from collections import defaultdict
from dataclasses import dataclass

from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import DevicePulse
from fleetloop_shared.codec import decode, decode_compressed, encode
from fleetloop_shared.errors import RefusedError, UndecodableError
from fleetloop_shared.link import Received
from fleetloop_shared.messages import Ack, ChunkRequest, DeviceState, Message, ReportedState
from fleetloop_shared.reports import Report
from fleetloop_shared.topics import Address, Topic, parse

FILTERS = [topic.every() for topic in Topic if topic.row.path.startswith("devices/{device}/up/")]
"""What the hub subscribes to."""


@dataclass(frozen=True)
class Outcome:
    """What came of a batch of messages.

    Attributes:
        acks: (topic, payload) to be published now that the reports are durable.
        requests: Chunks that devices miss.
        stored: Reports taken in.
    """

    acks: list[tuple[str, bytes]]
    requests: list[ChunkRequest]
    stored: int


class Ingest:
    """Takes in batches; keeps nothing between them but the last word of each device."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Recall each device's last birth or will, to tell a late will from a new one."""
        self._telemetry = telemetry
        self._states = {p.device: state for p in telemetry.pulses() if (state := _state(p))}

    def take(self, messages: list[Received]) -> Outcome:
        """Take in a batch: one transaction, then the acknowledgements."""
        reports: list[tuple[str, bytes, Report]] = []
        requests: list[ChunkRequest] = []
        for received in messages:
            try:
                said = self._take(received)
            except RefusedError as error:
                address = parse(received.topic)
                source = address.names["device"] if address else "unknown"
                self._telemetry.refuse(source, error.reason, str(error))
                continue
            if isinstance(said, Report):
                reports.append((received.topic.rpartition("/")[2], received.payload, said))
            elif isinstance(said, ChunkRequest):
                requests.append(said)
        if reports:
            self._telemetry.store(reports)
        return Outcome(_acks([r for _, _, r in reports]), requests, len(reports))

    def _take(self, received: Received) -> Message | None:
        address = parse(received.topic)
        if address is None or "device" not in address.names:
            raise UndecodableError(f"{received.topic[:120]}: not a topic of a device")
        if not received.payload:
            return None
        said = _decode(address, received.payload)
        device = address.names["device"]
        if isinstance(said, Report) and said.device != device:
            raise UndecodableError(f"a report of {said.device[:64]!r} on the topic of {device}")
        if isinstance(said, DeviceState):
            self._note_state(device, said, received.payload)
        elif isinstance(said, ReportedState):
            self._telemetry.pulse(device, state=None, reported=received.payload)
        return said

    def _note_state(self, device: str, state: DeviceState, payload: bytes) -> None:
        last = self._states.get(device)
        if last is not None and _is_late(state, last):
            return
        self._states[device] = state
        self._telemetry.pulse(device, state=payload, reported=None)


def _is_late(state: DeviceState, last: DeviceState) -> bool:
    """Whether it was said before `last`. A will does not know its connection, only its boot."""
    if state.online and state.boot == last.boot:
        return state.conn < last.conn
    return state.boot < last.boot


def _decode(address: Address, payload: bytes) -> Message:
    row = address.topic.row
    if row.message is None:
        raise UndecodableError(f"{row.path}: devices do not publish here")
    return (decode_compressed if row.compressed else decode)(payload, row.message)


def _acks(reports: list[Report]) -> list[tuple[str, bytes]]:
    grouped: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for report in reports:
        grouped[report.device, report.boot].append(report.seq)
    return [
        (Topic.ACK.at(device=device), encode(Ack(boot=boot, seqs=sorted(set(seqs)))))
        for (device, boot), seqs in grouped.items()
    ]


def _state(pulse: DevicePulse) -> DeviceState | None:
    return None if pulse.state is None else decode(pulse.state, DeviceState)
