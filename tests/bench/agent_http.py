"""What a row costs over HTTP, beside MLServer, mlflow and BentoML with the same model.

Server and load generator (wrk) have one core each. Servers take turns, and those that do not have
their turn are stopped: the value is the median of the ratios of the turns. The peers answer
probabilities; ours counts rows for drift, gives each a prediction id and remembers it for its
label. Each gets the row in the form of its own protocol.
"""

import json
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from support.http_servers import Server, all_servers
from support.packed import packed

Figure = dict[str, Any]

CLIENT_CORE = "1"
TURNS = 5
SECONDS = 3
MANY = 8
BATCH_ROWS = 200
TARGETS = {"MLServer": 7.0, "mlflow": 12.0, "BentoML": 20.0}

_AS_JSON = {"Content-Type": "application/json"}
_AS_BYTES = {"Content-Type": "application/octet-stream"}
_LUA = """
wrk.method = "POST"
wrk.body = io.open("{body}", "rb"):read("*a")
{headers}
"""
_UNITS_US = {"us": 1.0, "ms": 1e3, "s": 1e6}


def run() -> list[Figure]:
    """All figures."""
    if shutil.which("wrk") is None:
        raise RuntimeError("wrk is missing: make wrk, or apt-get install wrk")
    manifest, artifact, rows = packed("mlp 64-32, sensors")
    names = [feature.name for feature in manifest.signature.features]
    row = [round(value, 5) for value in rows[0].tolist()]
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        (folder / "model.onnx").write_bytes(artifact)
        (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
        with all_servers(folder, names, row) as servers:
            found = _take_turns(folder, servers)
            batches = _batches(folder, servers[0], rows[:BATCH_ROWS])
    return [*_many(found), *_one(found), batches]


class _Load:
    """What wrk says of some seconds, and what they cost the server's processor."""

    def __init__(self, text: str, cpu_s: float) -> None:
        self.per_s = float(_match(r"Requests/sec:\s+([\d.]+)", text)[1])
        self.p50_us, self.p99_us = (_latency_us(text, share) for share in ("50", "99"))
        self.cpu_us = 1e6 * cpu_s / int(_match(r"(\d+) requests in", text)[1])
        if "Non-2xx" in text or "Socket errors" in text:
            raise RuntimeError(f"not every request was answered: {text}")


def _take_turns(folder: Path, servers: list[Server]) -> dict[str, list[tuple[_Load, _Load]]]:
    """Of every server and turn: many connections, and one."""
    found: dict[str, list[tuple[_Load, _Load]]] = {server.name: [] for server in servers}
    for _ in range(TURNS):
        for server in servers:
            server.send(signal.SIGCONT)
            script = _script(folder, server.body, _AS_JSON)
            _load(server, script, server.url, MANY)
            loads = [_load(server, script, server.url, count) for count in (MANY, 1)]
            found[server.name].append((loads[0], loads[1]))
            server.send(signal.SIGSTOP)
    return found


def _batches(folder: Path, server: Server, rows: np.ndarray) -> Figure:
    """Rows as bytes beside the same rows as JSON, of the Open Inference Protocol."""
    url = server.url.replace("/predict", "/v2/models/bench/infer")
    tensor = {"name": "features", "shape": list(rows.shape), "datatype": "FP32"}
    as_json = json.dumps({"inputs": [tensor | {"data": rows.tolist()}]}).encode()
    data = rows.astype("<f4").tobytes()
    told = {
        "inputs": [tensor | {"parameters": {"binary_data_size": len(data)}}],
        "parameters": {"binary_data_output": True},
    }
    text = json.dumps(told).encode()
    in_bytes = {**_AS_BYTES, "Inference-Header-Content-Length": str(len(text))}
    scripts = _script(folder, text + data, in_bytes), _script(folder, as_json, _AS_JSON)
    server.send(signal.SIGCONT)
    pairs = [
        (_load(server, scripts[0], url, MANY), _load(server, scripts[1], url, MANY))
        for _ in range(TURNS)
    ]
    server.send(signal.SIGSTOP)
    ratio = statistics.median(a.per_s / b.per_s for a, b in pairs)
    beside = {"bytes": _rate([a for a, _ in pairs]), "JSON": _rate([b for _, b in pairs])}
    return _figure(f"{BATCH_ROWS} rows as bytes, beside JSON", ratio, (">=", 2.5), beside)


def _many(found: dict[str, list[tuple[_Load, _Load]]]) -> list[Figure]:
    own = [many for many, _ in found["fleetloop"]]
    figures = []
    for name, target in TARGETS.items():
        theirs = [many for many, _ in found[name]]
        ratio = statistics.median(a.per_s / b.per_s for a, b in zip(own, theirs, strict=True))
        beside = {"fleetloop": _rate(own), name: _rate(theirs)}
        figures.append(_figure(f"{MANY} connections, beside {name}", ratio, (">=", target), beside))
    return figures


def _rate(loads: list[_Load]) -> str:
    per_s = statistics.median(load.per_s for load in loads)
    return f"{per_s:.0f}/s ({statistics.median(load.cpu_us for load in loads):.0f} µs of a core)"


def _one(found: dict[str, list[tuple[_Load, _Load]]]) -> list[Figure]:
    figures = []
    for share, target in (("p50", 1 / 3), ("p99", 1 / 2)):
        times = {
            name: [getattr(one, f"{share}_us") for _, one in turns] for name, turns in found.items()
        }
        pairs = zip(times["fleetloop"], times["MLServer"], strict=True)
        ratio = statistics.median(a / b for a, b in pairs)
        beside = {name: f"{statistics.median(values):.0f} µs" for name, values in times.items()}
        figures.append(
            _figure(f"one connection, {share}, beside MLServer", ratio, ("<=", target), beside)
        )
    return figures


def _script(folder: Path, body: bytes, headers: dict[str, str]) -> Path:
    """A script of wrk that posts a body."""
    number = len(list(folder.glob("*.lua")))
    (folder / f"{number}.body").write_bytes(body)
    script = folder / f"{number}.lua"
    lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    script.write_text(_LUA.format(body=folder / f"{number}.body", headers=lines))
    return script


def _load(server: Server, script: Path, url: str, connections: int) -> _Load:
    command = ["taskset", "-c", CLIENT_CORE, "wrk", "-t", "1", "-c", str(connections)]
    command += ["-d", f"{SECONDS}s", "--latency", "-s", str(script), url]
    before_s = server.cpu_s()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return _Load(said, server.cpu_s() - before_s)


def _latency_us(text: str, share: str) -> float:
    found = _match(rf"\s{share}%\s+([\d.]+)(us|ms|s)", text)
    return float(found[1]) * _UNITS_US[found[2]]


def _match(pattern: str, text: str) -> re.Match[str]:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"wrk said {text!r}")
    return found


def _figure(metric: str, value: float, goal: tuple[str, float], beside: dict[str, str]) -> Figure:
    op, target = goal
    return {
        "metric": metric,
        "value": round(value, 3),
        "unit": "x",
        "op": op,
        "target": round(target, 3),
        "peers": beside,
    }
