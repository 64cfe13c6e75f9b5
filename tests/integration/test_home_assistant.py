"""What Home Assistant is told before its own schemas; `make home-assistant` installs it."""

import json
import subprocess
from pathlib import Path

import pytest

from fleetloop_hub.fleet_records import Device
from fleetloop_hub.home_assistant.discovery import config_of, topic_of

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "build" / "home-assistant-venv" / "bin" / "python"
DEVICE = Device(key="station-1", cohort="a", hardware="{{ x }}\n", password="", enrolled_at=0.0)

pytestmark = pytest.mark.skipif(
    not PYTHON.exists(),
    reason="Home Assistant is not installed: run `make home-assistant` (needs Python 3.13)",
)


def objections(topic: str, payload: object) -> list[str]:
    done = subprocess.run(
        [str(PYTHON), str(ROOT / "tests" / "home_assistant" / "judge.py")],
        input=json.dumps([topic, payload]),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_home_assistant_takes_what_it_is_told_of_a_device() -> None:
    config = config_of(DEVICE, "https://hub.example", "1.0")
    assert objections(topic_of("homeassistant", DEVICE.key), config) == []


def test_home_assistant_objects_to_what_is_wrong() -> None:
    config = config_of(DEVICE, "", "1.0")
    components = list(config["components"].values())
    components[0]["device_class"] = "nonsense"
    components[1]["value_template"] = "{{ no end"
    assert len(objections("homeassistant/device/a b/config", config)) == 3
    config = config_of(DEVICE, "javascript:alert(1)", "1.0")
    assert any("configuration_url" in text for text in objections("x", config))
