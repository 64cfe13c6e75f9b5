"""Every page that the console has, with names that a big installation knows."""

import re
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from fleetloop_hub.fleet_records import Device, Rollout, RolloutState
from fleetloop_hub.records import Alias, Dataset, Run, Version
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.web.app import create_app
from support.hubweb import ADMIN_TOKEN, web_hub

_NOT_PAGES = re.compile(
    r"^/(api/|static|events/stream|healthz|metrics|sign-|oidc|account)|\.(svg|json|csv)|/(plots?|files)/"
)
"""What programs and pictures are asked for by, and the doors."""

_NAME = re.compile(r"<(?:[a-z_]+(?:\([^)]*\))?:)?([a-z_]+)>")


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        path: Its address.
    """

    path: str


def pages(names: dict[str, str]) -> list[Page]:
    """Every page, in the order of its address.

    Args:
        names: What stands in addresses, by what it is called there; see `names_in`.

    Raises:
        KeyError: A page needs a name that is not known here.
    """
    with tempfile.TemporaryDirectory() as folder, web_hub(Path(folder)) as hub:
        app = create_app(hub, ADMIN_TOKEN, "127.0.0.1")
        rules = [
            rule.rule
            for rule in app.url_map.iter_rules()
            if rule.methods and "GET" in rule.methods and not _NOT_PAGES.search(rule.rule)
        ]
    return [Page(path) for path in sorted({_filled(rule, names) for rule in rules})]


def _filled(rule: str, names: dict[str, str]) -> str:
    section = rule.split("/")[1]

    def name(found: "re.Match[str]") -> str:
        known = names.get(f"{section} {found[1]}") or names.get(found[1])
        if known is None:
            raise KeyError(f"{rule}: nothing is known for {found[1]}")
        return quote(known)

    path = _NAME.sub(name, rule)
    asked = {"/runs/compare": names["two runs"], "/search": "q=north"}
    return f"{path}?{asked[path]}" if path in asked else path


def names_in(state: Path) -> dict[str, str]:
    """What addresses are about in a big installation, while no hub uses its folder.

    A name that means other things in other sections is called "SECTION NAME".
    """
    with closing(TinyDbCatalog(state / "catalog")) as catalog:
        model = catalog.all(Dataset)[-1].model
        champion = catalog.find(Alias, f"{model}/champion")
        assert champion is not None
        version = catalog.find(Version, f"{model}/{champion.version}")
        assert version is not None
        runs = [r.key for r in catalog.all(Run) if r.model == model][:2]
        opened = [r for r in catalog.all(Rollout) if r.state is RolloutState.OPEN]
        device = next(d for d in catalog.all(Device) if d.cohort == opened[-1].cohort)
        datasets = [d for d in catalog.all(Dataset) if d.model == model]
        return {
            "model": model,
            "number": str(version.number),
            "version": str(version.number),
            "which": str(version.number),
            "name": device.key,
            "device": device.key,
            "device_id": device.key,
            "cohort": device.cohort,
            "feature": "dew_point_f",
            "column": "dew_point_f",
            "data name": datasets[-1].key[:12],
            "other": datasets[0].key[:12],
            "runs key": runs[0],
            "rollouts key": opened[-1].key,
            "decisions key": version.decision,
            "two runs": "&".join(f"run={key}" for key in runs),
        }
