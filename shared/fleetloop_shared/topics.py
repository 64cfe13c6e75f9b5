"""THE table of topics: who says what, where, how lasting. Everything else asks this table."""

import re
from dataclasses import dataclass
from enum import Enum

from fleetloop_shared import alert_message
from fleetloop_shared import label_messages as told
from fleetloop_shared import messages as m
from fleetloop_shared import reports as r
from fleetloop_shared.ids import NAME, SHA256
from fleetloop_shared.shadow_report import ShadowReport
from fleetloop_shared.trust import Bundle

ROOT = "fleetloop/v1"

_PATTERNS = {
    "device": NAME,
    "cohort": NAME,
    "source": NAME,
    "sha256": SHA256,
    "index": r"[0-9]{1,6}",
    "kind": NAME,
    "key": NAME,
}


@dataclass(frozen=True)
class Row:
    """One kind of topic.

    Attributes:
        path: Below `ROOT`, with `{device}`, `{cohort}`, `{source}`, `{sha256}`, `{index}`,
            `{kind}`, `{key}` to be filled in.
        message: The type of the payload, None for raw bytes.
        retained: Whether the broker keeps the last one.
        qos: MQTT quality of service of the publisher.
        compressed: Whether the payload is zlib JSON.
        outbox: Whether it is kept until the hub has acknowledged it.
        says: What it is for.
    """

    path: str
    message: type[m.Message] | None
    says: str
    retained: bool = False
    qos: int = 1
    compressed: bool = False
    outbox: bool = False


class Topic(Enum):
    """Every topic there is."""

    STATE = Row("devices/{device}/up/state", m.DeviceState, "birth, last will", retained=True)
    REPORTED = Row("devices/{device}/up/reported", m.ReportedState, "what runs", retained=True)
    DRIFT = Row("devices/{device}/up/drift", r.DriftReport, "verdict on a window", outbox=True)
    PROFILE = Row(
        "devices/{device}/up/profile",
        r.ProfileReport,
        "mergeable counts of a window",
        compressed=True,
        outbox=True,
    )
    HEALTH = Row("devices/{device}/up/health", r.HealthReport, "how serving goes", outbox=True)
    SAMPLES = Row("devices/{device}/up/samples", r.SampleReport, "served rows", outbox=True)
    LABELS = Row("devices/{device}/up/labels", r.LabelReport, "late truth", outbox=True)
    SHADOW = Row(
        "devices/{device}/up/shadow", ShadowReport, "champion and challenger compared", outbox=True
    )
    EVENTS = Row("devices/{device}/up/events", r.EventReport, "what happened", outbox=True)
    GET = Row("devices/{device}/up/get", m.ChunkRequest, "chunks the broker lacks")
    ACK = Row("devices/{device}/down/ack", m.Ack, "reports the hub has committed")
    CHUNK = Row(
        "devices/{device}/down/chunk/{sha256}/{index}",
        None,
        "one chunk for one device, where the broker retains nothing",
        qos=0,
    )
    IMAGE = Row("trust/image", Bundle, "signed list of what exists", retained=True, compressed=True)
    DIRECTOR = Row(
        "cohorts/{cohort}/director",
        Bundle,
        "signed desired state of a cohort",
        retained=True,
        compressed=True,
    )
    BLOB = Row("blobs/{sha256}/{index}", None, "one chunk of content, by hash", retained=True)
    SOURCE_LABELS = Row("sources/{source}/up/labels", told.LabelMessage, "labels told to the hub")
    SOURCE_RECEIPT = Row("sources/{source}/down/receipt", told.LabelReceipt, "what became of them")
    ALERT = Row(
        "alerts/{kind}/{key}",
        alert_message.AlertMessage,
        "what wants attention, while it does",
        retained=True,
    )
    HUB = Row("hub/state", m.HubState, "whether the hub is there", retained=True)
    PROBE = Row("hub/probe", None, "whether the broker keeps what is retained", retained=True)

    @property
    def row(self) -> Row:
        """The table's row."""
        return self.value

    def at(self, **names: str | int) -> str:
        """The topic with its names filled in.

        >>> Topic.ACK.at(device="station-1")
        'fleetloop/v1/devices/station-1/down/ack'
        """
        return f"{ROOT}/{self.value.path.format(**names)}"

    def every(self) -> str:
        """The MQTT filter that matches every topic of this kind.

        >>> Topic.DRIFT.every()
        'fleetloop/v1/devices/+/up/drift'
        """
        return f"{ROOT}/{re.sub('{[a-z0-9]+}', '+', self.value.path)}"


@dataclass(frozen=True)
class Address:
    """A topic read back.

    Attributes:
        topic: Which kind.
        names: What stood in the places to be filled in.
    """

    topic: Topic
    names: dict[str, str]


def _expression(row: Row) -> re.Pattern[str]:
    path = re.sub("{([a-z0-9]+)}", lambda f: f"(?P<{f[1]}>{_PATTERNS[f[1]]})", row.path)
    return re.compile(f"{ROOT}/{path}")


_EXPRESSIONS: dict[str, list[tuple[Topic, re.Pattern[str]]]] = {}
for _topic in Topic:
    _below = _EXPRESSIONS.setdefault(_topic.row.path.partition("/")[0], [])
    _below.append((_topic, _expression(_topic.row)))


def parse(topic: str) -> Address | None:
    """Which topic this is, or None if it is none of ours.

    >>> parse("fleetloop/v1/devices/station-1/up/drift").names
    {'device': 'station-1'}
    """
    first = topic.removeprefix(f"{ROOT}/").partition("/")[0]
    for kind, expression in _EXPRESSIONS.get(first, ()):
        if match := expression.fullmatch(topic):
            return Address(kind, match.groupdict())
    return None
