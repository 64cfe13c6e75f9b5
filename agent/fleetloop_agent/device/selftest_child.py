"""The child process of a self-test: examines one model under limits, says what it found."""

import resource
import sys
from pathlib import Path

from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.device.host import RealHost
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.update.examine import examine
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.manifest import Manifest

LENGTH_BYTES = 8
"""Standard input: the manifest's length, the manifest, the artifact."""

CPU_S = 60
SLACK_BYTES = 512 * 1024 * 1024
"""Address space that is reserved and never touched: thread stacks, arenas."""

_STATM = Path("/proc/self/statm")


def main() -> None:
    """Read a model from standard input, write the finding to standard output."""
    data = sys.stdin.buffer.read()
    end = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "big")
    manifest = decode(data[LENGTH_BYTES:end], Manifest)
    artifact = data[end:]
    _limit(manifest.budget.memory_bytes)
    found = examine(manifest, artifact, OrtRuntime(), RealClock(), RealHost())
    sys.stdout.buffer.write(encode(found))


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    if _STATM.exists():
        used = int(_STATM.read_text("ascii").split()[0]) * resource.getpagesize()
        most = used + memory_bytes + SLACK_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
