"""What the daemon and the processes beside it agree on: an address, and how a test is told."""

from pathlib import Path

ADDRESS = Path("http-address")
"""Where the running daemon answers; it stands in the state folder."""

LENGTH_BYTES = 8
"""How many bytes of a self-test's input say the manifest's length; both files follow."""
