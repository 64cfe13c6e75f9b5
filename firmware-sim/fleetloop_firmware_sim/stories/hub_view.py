"""What a story asks the hub, over HTTP as any stranger does."""

from typing import Any

from fleetloop_firmware_sim.hub_api import HubApi

Json = dict[str, Any]


class HubView:
    """The hub's answers to the questions that stories have.

    Attributes:
        api: The hub's HTTP interface.
    """

    def __init__(self, api: HubApi) -> None:
        """Nothing is asked yet."""
        self.api = api

    def versions(self, model: str) -> list[Json]:
        """A model's versions, the newest first."""
        found: list[Json] = self.api.get("/versions?limit=1000")["versions"]
        return [version for version in found if version["model"] == model]

    def devices(self) -> list[Json]:
        """Every device, as the hub sees it."""
        found: list[Json] = self.api.get("/devices?limit=1000")["devices"]
        return found

    def online(self) -> int:
        """How many devices are connected."""
        return sum(bool(device["online"]) for device in self.devices())

    def committed(self, version: int) -> int:
        """How many devices run this version, and nothing else under way."""
        return sum(d["version"] == version and not d["target"] for d in self.devices())

    def rollouts(self) -> list[Json]:
        """Every rollout, the newest first."""
        found: list[Json] = self.api.get("/rollouts?limit=1000")["rollouts"]
        return found

    def ended(self, version: int) -> bool:
        """Whether a rollout of this version has come to an end."""
        return any(r["version"] == version and r["ended_at"] for r in self.rollouts())

    def rollout_of(self, version: int) -> Json | None:
        """The newest rollout of a version, None if there was none."""
        return next((r for r in self.rollouts() if r["version"] == version), None)

    def quarantined(self, version: int) -> list[str]:
        """The hardware types on which a version is in quarantine."""
        found: list[Json] = self.api.get("/quarantine?limit=1000")["quarantine"]
        return sorted({q["hardware"] for q in found if q["version"] == version})

    def why(self, model: str, version: int) -> Json:
        """What the hub tells of a version, as `fleetloop why` reads it."""
        found: Json = self.api.get(f"/why/{model}/{version}")
        return found

    def decisions(self, verdict: str) -> list[Json]:
        """Decisions of this kind that no person asked for, the newest first."""
        made: list[Json] = self.api.get("/decisions?limit=1000")["decisions"]
        return [d for d in made if d["verdict"] == verdict and d["trigger"] != "person"]

    def runs(self, model: str) -> list[Json]:
        """A model's runs, as the hub lists them."""
        found: list[Json] = self.api.get("/runs?limit=1000")["runs"]
        return [run for run in found if run["model"] == model]
