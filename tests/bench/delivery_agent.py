"""What a first install of 1 MB and a refresh of nothing cost a device, in an environment as it has.

The agent's wheels and what they ask for, without `cryptography`. Processor time and memory are the
agent's own; the child that tests a model by itself is given beside.
"""

import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from fleetloop_firmware_sim.scenarios.repositories import Issue, Repository
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import Bundle, desired_target, manifest_target
from support import device_probe
from support.device_env import call, device_python
from support.hubside import COHORT, Hubside, Shipment

Figure = dict[str, Any]

ARTIFACT_BYTES = 1_000_000
ROUNDS = 3


def run() -> list[Figure]:
    """All figures."""
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        python = device_python(folder)
        found, served = [], []
        for number in range(ROUNDS):
            release = folder / f"release-{number}"
            _write_release(release)
            served.append(_probe(python, "serve", release))
            found.append(_probe(python, "install", release))
    return _figures(found, served)


def _figures(found: list[dict[str, float]], served: list[dict[str, float]]) -> list[Figure]:
    def median(name: str, runs: list[dict[str, float]]) -> float:
        return statistics.median(one[name] for one in runs)

    grown = (median("rss_bytes", found) - median("rss_bytes", served)) / 2**20
    child = {"self-test in its child": f"{median('child_cpu_s', found):.2f} s"}
    serving = {"serving alone": f"{median('rss_bytes', served) / 2**20:.1f} MiB"}
    bundles = {"bundles": int(found[0]["bundles"])}
    return [
        _figure("refresh of what is known", median("refresh_ms", found), "ms", 20, bundles),
        _figure("written by it", median("refresh_written_bytes", found), "bytes", 0, {}),
        _figure("first install of 1 MB, processor", median("cpu_s", found), "s", 1.0, child),
        _figure("memory of trust, update and transfer", grown, "MiB", 8.0, serving),
    ]


def _figure(metric: str, value: float, unit: str, target: float, peers: dict[str, Any]) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 3),
        "unit": unit,
        "op": "<=",
        "target": target,
        "peers": peers,
    }


def _write_release(folder: Path) -> None:
    """A model of 1 MB that does not compress, and both signed bundles, as files."""
    folder.mkdir()
    now = time.time() - 60.0
    hub = Hubside(Repository(now), Repository(now))
    shipment = hub.ship(1, padding_bytes=ARTIFACT_BYTES)
    desired = hub.desire(1, shipment.release)
    files = {desired_target(COHORT): encode(desired)}
    director = hub.director.issue(Issue(1, now), files)
    listed = {manifest_target(shipment.release.model, 1): shipment.document}
    image = hub.image.issue(Issue(1, now), listed, carried=False)
    _write_files(
        folder, shipment, {Topic.IMAGE.at(): image, Topic.DIRECTOR.at(cohort=COHORT): director}
    )
    (folder / "identity.json").write_bytes(encode(hub.identity("station-1")))


def _write_files(folder: Path, shipment: Shipment, bundles: dict[str, Bundle]) -> None:
    payloads = {topic: encode_compressed(bundle) for topic, bundle in bundles.items()}
    names = {}
    for number, (topic, data) in enumerate({**payloads, **shipment.blobs}.items()):
        names[topic] = str(number)
        (folder / str(number)).write_bytes(data)
    (folder / "topics.json").write_text(json.dumps(names), "utf-8")
    (folder / "manifest.json").write_bytes(shipment.document)
    (folder / "artifact.onnx").write_bytes(shipment.artifact)


def _probe(python: Path, what: str, folder: Path) -> dict[str, float]:
    shutil.rmtree(folder / "state", ignore_errors=True)
    said = call(python, "-I", Path(device_probe.__file__), what, folder)
    found: dict[str, float] = json.loads(said)
    return found
