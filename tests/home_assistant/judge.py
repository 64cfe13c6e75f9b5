"""Run with Home Assistant's own Python: reads a payload, prints what Home Assistant objects to."""

import asyncio
import importlib
import json
import sys
import tempfile


async def main() -> None:
    """Validate the whole, and each component as its platform does."""
    core = importlib.import_module("homeassistant.core")
    frame = importlib.import_module("homeassistant.helpers.frame")
    frame.async_setup(core.HomeAssistant(tempfile.gettempdir()))  # templates ask for it
    topic, payload = json.load(sys.stdin)
    discovery = importlib.import_module("homeassistant.components.mqtt.discovery")
    schemas = importlib.import_module("homeassistant.components.mqtt.schemas")
    objections: list[str] = []
    if discovery.TOPIC_MATCHER.fullmatch(topic.partition("/")[2]) is None:
        objections.append(f"{topic} is no discovery topic")
    try:
        schemas.DEVICE_DISCOVERY_SCHEMA(payload)
    except Exception as error:  # noqa: BLE001  # whatever it raises is its objection
        objections.append(f"device: {error}")
    for name, component in payload["components"].items():
        platform = importlib.import_module(f"homeassistant.components.mqtt.{component['platform']}")
        try:
            platform.DISCOVERY_SCHEMA({**component, "device": payload["device"]})
        except Exception as error:  # noqa: BLE001  # whatever it raises is its objection
            objections.append(f"{name}: {error}")
    print(json.dumps(objections))  # noqa: T201  # what it is run for


if __name__ == "__main__":
    asyncio.run(main())
