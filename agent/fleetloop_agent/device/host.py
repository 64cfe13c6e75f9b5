"""What the operating system says about this process and its machine, by `/proc` and `/sys`.

No library: ADR 0032 has the figures. What a system does not tell is None, here and in reports.
"""

import contextlib
import os
import resource
import time
from pathlib import Path

from fleetloop_agent.ports import Host
from fleetloop_shared.system import SystemHealth

MOST_ZONES = 32
"""Thermal zones that are looked at."""

_KIB = 1024
_READ_BYTES = 4096
_CPU_FIELDS = 8
"""user, nice, system, idle, iowait, irq, softirq, steal; guest time is within user. proc(5)"""

_IDLE = slice(3, 5)
_COLDEST_C, _HOTTEST_C = -60.0, 200.0
"""A sensor that says less or more is not connected."""

Ticks = tuple[int, int]
"""Processor time of all cores: used, and all there was."""


class RealHost(Host):
    """Linux; elsewhere the largest resident size so far, and what POSIX tells."""

    def __init__(self, state_dir: Path = Path(), root: Path = Path("/")) -> None:
        """Begin to count.

        Args:
            state_dir: On the disk that is reported on.
            root: Where `proc` and `sys` are.
        """
        self._state_dir = state_dir
        self._proc = root / "proc"
        self._statm = self._proc / "self/statm"
        zones = sorted((root / "sys/class/thermal").glob("thermal_zone*/temp"))
        self._zones = zones[:MOST_ZONES]
        self._at, self._used_s = time.monotonic(), time.process_time()
        self._ticks = self._cpu_ticks()

    def rss_bytes(self) -> int:
        try:
            pages = int(self._statm.read_text("ascii").split()[1])
        except FileNotFoundError:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
        return pages * resource.getpagesize()

    def system(self) -> SystemHealth:
        memory, disk = self._memory(), self._disk()
        return SystemHealth(
            agent_cpu_ratio=self._agent_cpu(),
            machine_cpu_ratio=self._machine_cpu(),
            memory_available_bytes=memory.get("MemAvailable"),
            memory_total_bytes=memory.get("MemTotal"),
            disk_free_bytes=disk[0] if disk else None,
            disk_total_bytes=disk[1] if disk else None,
            temperature_c=self._temperature(),
            machine_uptime_s=self._uptime(),
        )

    def _agent_cpu(self) -> float | None:
        at, used_s = time.monotonic(), time.process_time()
        passed_s, spent_s = at - self._at, used_s - self._used_s
        self._at, self._used_s = at, used_s
        return spent_s / passed_s if passed_s > 0 else None

    def _machine_cpu(self) -> float | None:
        before, self._ticks = self._ticks, self._cpu_ticks()
        if before is None or self._ticks is None:
            return None
        used, all_ = (now - then for now, then in zip(self._ticks, before, strict=True))
        return min(max(used / all_, 0.0), 1.0) if all_ > 0 else None

    def _cpu_ticks(self) -> Ticks | None:
        first, *fields = _read(self._proc / "stat").partition("\n")[0].split() or [""]
        with contextlib.suppress(ValueError):
            ticks = [int(field) for field in fields[:_CPU_FIELDS]]
            if first == "cpu" and len(ticks) == _CPU_FIELDS:
                return sum(ticks) - sum(ticks[_IDLE]), sum(ticks)
        return None

    def _memory(self) -> dict[str, int]:
        found = {}
        for line in _read(self._proc / "meminfo").split("\n"):
            name, _, amount = line.partition(":")
            if name in {"MemTotal", "MemAvailable"} and amount.endswith(" kB"):
                with contextlib.suppress(ValueError):
                    found[name] = int(amount[:-3]) * _KIB
        return found

    def _disk(self) -> tuple[int, int] | None:
        try:
            disk = os.statvfs(self._state_dir)
        except OSError:
            return None
        return disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize

    def _temperature(self) -> float | None:
        told = []
        for zone in self._zones:
            with contextlib.suppress(ValueError):
                told.append(int(_read(zone)) / 1000)
        return max((t for t in told if _COLDEST_C <= t <= _HOTTEST_C), default=None)

    def _uptime(self) -> float | None:
        try:
            return float(_read(self._proc / "uptime").split()[0])
        except (IndexError, ValueError):
            return None


def _read(path: Path) -> str:
    """The beginning of a file; "" where there is none, or it does not tell."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(_READ_BYTES).decode("ascii", "replace")
    except OSError:
        return ""
