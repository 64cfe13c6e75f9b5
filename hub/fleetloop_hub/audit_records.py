"""What the audit log keeps: who did what to what, and why."""

import msgspec

from fleetloop_shared.codec import encode
from fleetloop_shared.ids import sha256_hex

BEGINNING = "0" * 64
"""What stands for the entry before the first."""

BY = "Fleetloop-By"
"""The header in which whoever holds the admin token says who they are."""


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person does, or asks for.

    Attributes:
        by: Who, as they say themselves; the holder of the admin token is believed.
        action: What: "approve", "waive", "train", "roll out", ...
        subject: To what: "rain@3", "default".
        reason: Why, in words; "" where nobody asks.
        details: More, by name.
    """

    by: str
    action: str
    subject: str
    reason: str = ""
    details: dict[str, str] = {}


class AuditEntry(Deed, frozen=True, kw_only=True):
    """A deed as the log keeps it.

    Attributes:
        number: From 1.
        at: Unix seconds.
        previous: The hash of the entry before, `BEGINNING` before the first.
        hash: SHA-256 of this entry, written with an empty hash.
    """

    number: int
    at: float
    previous: str
    hash: str = ""

    def sealed(self) -> "AuditEntry":
        """The same with its hash."""
        open_ = msgspec.structs.replace(self, hash="")
        return msgspec.structs.replace(open_, hash=sha256_hex(encode(open_)))

    def is_about(self, by: str, action: str, subject: str) -> bool:
        """Whether who, what and to what hold these words, in whatever case; "" holds everywhere."""
        asked = ((by, self.by), (action, self.action), (subject, self.subject))
        return all(word.lower() in told.lower() for word, told in asked)

    def follows(self, previous: str, number: int) -> bool:
        """Whether it is whole, and stands behind an entry with this hash, at this place."""
        return (
            self.previous == previous and self.number == number and self.hash == self.sealed().hash
        )
