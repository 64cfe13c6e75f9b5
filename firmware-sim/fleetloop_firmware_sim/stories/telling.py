"""Tells what is new in the hub's overview, each thing once."""

from typing import Any

from fleetloop_firmware_sim.stories.screen import Screen

_STYLES = {"good": "green", "busy": "", "warn": "yellow", "bad": "red", "off": "dim"}

Json = dict[str, Any]


class Telling:
    """Remembers what has been told."""

    def __init__(self, screen: Screen) -> None:
        """Nothing has been told yet."""
        self._screen = screen
        self._told: set[str] = set()

    def overview(self, overview: Json) -> None:
        """What is new in it, and the devices as they are now."""
        for event in reversed(overview["events"]):
            key = f"{event['device']} {event['at']} {event['text']}"
            self._tell(key, event["device"], event["text"], _STYLES.get(event["level"], ""))
        for decision in reversed(overview["decisions"]):
            text = f"{decision['verdict']}: {decision['reasons'][0]}"
            if decision["trigger"] != "person":
                self._tell(f"{decision['key']} {text}", "hub", text, "bold")
        if rollout := overview.get("rollout"):
            text = f"rollout of version {rollout['version']}, {rollout['text']}"
            self._tell(f"{rollout['key']} {text}", "hub", text)
        self._screen.show(overview["devices"])

    def version(self, version: Json) -> None:
        """What has come of a training, gate by gate."""
        sizes = f"{version['float_bytes']:,} bytes float, {version['artifact_bytes']:,} quantized"
        self._screen.say("hub", f"version {version['number']}: {version['why']}; {sizes}")
        for gate in version["gates"]:
            mark, style = ("passed", "green") if gate["passed"] else ("FAILED", "red")
            self._screen.say("gate", f"{mark}: {gate['text']}", style)

    def _tell(self, key: str, who: str, text: str, style: str = "") -> None:
        if key not in self._told:
            self._told.add(key)
            self._screen.say(who, text, style)
