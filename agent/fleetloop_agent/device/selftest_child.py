"""The child process of a self-test: examines one model under limits, says what it found.

Once the limits stand, this process can open no file and no socket, write no file, start no process,
and use only so much processor time and memory. What it needs for its work is open before.
"""

import os
import resource
import sys
from pathlib import Path

from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.device.told import LENGTH_BYTES
from fleetloop_agent.ports import Host
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.update.examine import examine
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.manifest import Manifest

CPU_S = 60
SLACK_BYTES = 512 * 1024 * 1024
"""Address space that is reserved and never touched: thread stacks, arenas."""

_STATM = Path("/proc/self/statm")
_KIB = 1024
_LINE_BYTES = 256


class OpenedHost(Host):
    """What the operating system says, by a file that was opened before nothing could be opened."""

    def __init__(self) -> None:
        """Open it where there is one."""
        self._statm = os.open(_STATM, os.O_RDONLY) if _STATM.exists() else None

    def rss_bytes(self) -> int:
        return self._pages(1, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB)

    def reserved_bytes(self) -> int | None:
        """Address space in use, None where the system does not say."""
        return self._pages(0, -1) if self._statm is not None else None

    def _pages(self, place: int, otherwise_bytes: int) -> int:
        if self._statm is None:
            return otherwise_bytes
        return int(os.pread(self._statm, _LINE_BYTES, 0).split()[place]) * resource.getpagesize()


def main() -> None:
    """Read a model from standard input, write the finding to standard output."""
    data = sys.stdin.buffer.read()
    end = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "big")
    manifest = decode(data[LENGTH_BYTES:end], Manifest)
    artifact = data[end:]
    host = OpenedHost()
    limit(manifest.budget.memory_bytes, host)
    found = examine(manifest, artifact, OrtRuntime(), RealClock(), host)
    sys.stdout.buffer.write(encode(found))


def limit(memory_bytes: int, host: OpenedHost) -> None:
    """Set the limits; none of them can be raised again without the system's highest rights.

    Args:
        memory_bytes: What the model may add.
        host: Says what is in use.
    """
    for what in (
        resource.RLIMIT_NOFILE,  # no file, socket or pipe can be opened any more
        resource.RLIMIT_FSIZE,  # no file that is open grows
        resource.RLIMIT_NPROC,  # no process and no thread is started; not enforced for root
        resource.RLIMIT_CORE,  # the model's rows are written nowhere
    ):
        resource.setrlimit(what, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    used = host.reserved_bytes()
    if used is not None:
        most = used + memory_bytes + SLACK_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
