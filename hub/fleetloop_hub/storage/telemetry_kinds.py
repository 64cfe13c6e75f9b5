"""The kinds of reports: the type of each, and how its payload is read."""

from fleetloop_shared.codec import decode, decode_compressed
from fleetloop_shared.reports import Report
from fleetloop_shared.topics import Topic

KINDS = {
    topic.row.path.rpartition("/")[2]: (message, topic.row.compressed)
    for topic in Topic
    if (message := topic.row.message) is not None and issubclass(message, Report)
}
"""The type of each kind of report, and whether its payload is compressed."""

KIND_OF = {message: kind for kind, (message, _) in KINDS.items()}
"""The kind of each type."""


def read(kind: str, payload: bytes) -> Report:
    """The report in a payload that was kept."""
    type_, compressed = KINDS[kind]
    return decode_compressed(payload, type_) if compressed else decode(payload, type_)
