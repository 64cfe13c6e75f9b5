"""What the machine tells of itself, and what stays unknown where it tells nothing."""

from pathlib import Path

import pytest

from fleetloop_agent.device.host import RealHost
from fleetloop_shared.system import SystemHealth

MEMORY = "MemTotal:        1000 kB\nMemFree:  10 kB\nMemAvailable:    400 kB\nHugePages_Total: 0\n"


def machine(root: Path, files: dict[str, str]) -> RealHost:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "ascii")
    return RealHost(root, root)


def test_this_machine_tells_what_can_be(tmp_path: Path) -> None:
    host = RealHost(tmp_path)
    sum(range(200_000))
    said = host.system()
    assert said.agent_cpu_ratio is not None
    assert said.agent_cpu_ratio > 0
    assert said.disk_free_bytes is not None
    assert said.disk_total_bytes is not None
    assert 0 < said.disk_free_bytes <= said.disk_total_bytes
    assert said.machine_cpu_ratio is None or 0 <= said.machine_cpu_ratio <= 1
    assert host.rss_bytes() > 0


def test_processor_time_is_that_since_the_last_report(tmp_path: Path) -> None:
    host = machine(tmp_path, {"proc/stat": "cpu  10 0 10 70 10 0 0 0 5 0\ncpu0 1 1\n"})
    (tmp_path / "proc/stat").write_text("cpu  20 5 25 90 20 0 0 10 9 0\n", "ascii")
    assert host.system().machine_cpu_ratio == pytest.approx(40 / 70)
    assert host.system().machine_cpu_ratio is None, "no time has passed"


def test_memory_uptime_and_the_hottest_zone(tmp_path: Path) -> None:
    zone = "sys/class/thermal/thermal_zone{}/temp"
    said = machine(
        tmp_path,
        {
            "proc/meminfo": MEMORY,
            "proc/uptime": "350735.47 234388.90\n",
            zone.format(0): "41500\n",
            zone.format(1): "47250\n",
        },
    ).system()
    assert said.memory_total_bytes == 1000 * 1024
    assert said.memory_available_bytes == 400 * 1024
    assert said.machine_uptime_s == 350735.47
    assert said.temperature_c == 47.25


def test_a_sensor_that_is_not_connected_or_garbled_is_no_temperature(tmp_path: Path) -> None:
    zone = "sys/class/thermal/thermal_zone{}/temp"
    host = machine(tmp_path, {zone.format(n): t for n, t in enumerate(["-274000\n", "", "hot\n"])})
    assert host.system().temperature_c is None


def test_a_machine_that_tells_nothing_or_nonsense_is_unknown_and_does_no_harm(
    tmp_path: Path,
) -> None:
    nothing = machine(tmp_path / "nothing", {"empty": ""}).system()
    nonsense = machine(
        tmp_path / "nonsense",
        {
            "proc/stat": "cpu  x y\n",
            "proc/meminfo": "MemTotal: lots kB\nMemAvailable\n\x00\n",
            "proc/uptime": "soon\n",
        },
    ).system()
    known = {"agent_cpu_ratio", "disk_free_bytes", "disk_total_bytes"}
    for said in (nothing, nonsense):
        assert {f for f in SystemHealth.__struct_fields__ if getattr(said, f) is not None} == known


def test_a_state_folder_that_is_gone_has_no_room_that_anybody_knows(tmp_path: Path) -> None:
    assert RealHost(tmp_path / "gone").system().disk_free_bytes is None
