"""The errors both sides share.

FleetloopError
├── RefusedError                what came in is not used; carries the name it is counted under
│   ├── UndecodableError        bytes that are not the message their topic promises
│   ├── SignatureError          unsigned, wrongly signed, or signed by a key that is not pinned
│   ├── ManifestError           a manifest that contradicts itself or its release
│   └── ChunkError              a chunk whose bytes are not those its hash names
├── InvalidIdError              a name that may not stand in a topic or a path
└── DiskFullError               a durable write that found no room; nothing half-written stays
"""


class FleetloopError(Exception):
    """Anything Fleetloop raises on purpose; its text says what to do next."""


class RefusedError(FleetloopError):
    """Something came in and was not used.

    Attributes:
        reason: The short name under which refusals are counted and reported.
    """

    reason = "refused"


class UndecodableError(RefusedError):
    """The bytes are not the message that their topic promises."""

    reason = "undecodable"


class SignatureError(RefusedError):
    """No pinned key has signed these bytes: somebody else made them."""

    reason = "arbitrary-software"


class ManifestError(RefusedError):
    """A manifest contradicts itself, or is not the one its release names."""

    reason = "wrong-manifest"


class ChunkError(RefusedError):
    """A chunk's bytes are not those that its hash in the manifest names."""

    reason = "corrupt-chunk"


class InvalidIdError(FleetloopError):
    """A name holds characters that may not stand in a topic or a path."""


class DiskFullError(FleetloopError):
    """A durable write found no room; the file it was to replace is unharmed."""
