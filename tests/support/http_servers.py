"""Starts the local endpoint and what it is compared with, each pinned to a core, with one model.

The peers run in environments of their own under build/, with one worker each, answer in the
process that listens, and write no access log where they can be told so.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVER_CORE = "0"
_START_S = 120.0

_SESSION = """
import numpy as np, onnxruntime as ort
def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
"""

_MLSERVER = """
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse
from session import session
class Onnx(MLModel):
    async def load(self):
        self._session = session("model.onnx")
        return True
    async def predict(self, payload):
        rows = NumpyCodec.decode_input(payload.inputs[0])
        found = self._session.run(["probabilities"], {"features": rows})[0]
        outputs = [NumpyCodec.encode_output("probabilities", found)]
        return InferenceResponse(model_name=self.name, id=payload.id, outputs=outputs)
"""

_MLFLOW = """
import sys, mlflow
class Onnx(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        from session import session
        self._session = session(context.artifacts["model"])
    def predict(self, context, model_input, params=None):
        rows = model_input.astype("float32")
        return self._session.run(["probabilities"], {"features": rows})[0]
mlflow.pyfunc.save_model(
    "mlflow-model", python_model=Onnx(), artifacts={"model": "model.onnx"},
    code_paths=["session.py"], pip_requirements=[],
)
"""

_BENTOML = """
import bentoml, numpy as np
from session import session
@bentoml.service(workers=1)
class Sensors:
    def __init__(self):
        self._session = session("model.onnx")
    @bentoml.api
    async def predict(self, rows: list[list[float]]) -> list[list[float]]:
        rows = np.array(rows, np.float32)
        return self._session.run(["probabilities"], {"features": rows})[0].tolist()
"""


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        name: What it is called.
        url: Where it answers.
        body: One row, as it takes it.
        process: It, and what it has started.
    """

    name: str
    url: str
    body: bytes
    process: subprocess.Popen[bytes]

    def cpu_s(self) -> float:
        """Processor seconds that all its processes have used."""
        mine, found = self._processes(), _stats()
        return sum(found[pid][1] for pid in mine if pid in found) / os.sysconf("SC_CLK_TCK")

    def send(self, number: signal.Signals) -> None:
        """Tell all its processes something."""
        for pid in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _processes(self) -> list[int]:
        """It, and whom it has started: some open a session of their own."""
        found, mine = _stats(), [self.process.pid]
        for pid in mine:
            mine += [child for child, (parent, _) in found.items() if parent == pid]
        return mine


def _stats() -> dict[int, tuple[int, int]]:
    """Parent and processor ticks of every process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            found[int(path.parent.name)] = int(fields[1]), int(fields[11]) + int(fields[12])
    return found


@contextlib.contextmanager
def all_servers(folder: Path, names: list[str], row: list[float]) -> Iterator[list[Server]]:
    """The endpoint and its peers; the folder holds `model.onnx` and `manifest.json`.

    Args:
        folder: Where the peers' files are written, too.
        names: Of the features.
        row: What is asked.
    """
    (folder / "session.py").write_text(_SESSION)
    started: list[Server] = []
    try:
        for start in (_own, _mlserver, _mlflow, _bentoml):
            server = start(folder, names, row)
            started.append(server)
            _wait(server)
            server.send(signal.SIGSTOP)
        yield started
    finally:
        for server in started:
            server.send(signal.SIGKILL)
            server.process.wait()


def _own(folder: Path, names: list[str], row: list[float]) -> Server:
    port = _free_port()
    script = str(Path(__file__).parent / "bench_server.py")
    process = _start([sys.executable, script, str(folder), str(port)], folder)
    body = json.dumps(dict(zip(names, row, strict=True)))
    return Server("fleetloop", f"http://127.0.0.1:{port}/predict", body.encode(), process)


def _mlserver(folder: Path, names: list[str], row: list[float]) -> Server:
    # its uvloop: newer ones lack what it calls when it starts
    binaries = _environment("mlserver", "mlserver", "uvloop<0.22", "onnxruntime")
    (folder / "mlserver_model.py").write_text(_MLSERVER)
    port = _free_port()
    settings: dict[str, object] = {
        "http_port": port,
        "grpc_port": _free_port(),
        "metrics_port": _free_port(),
    }
    settings |= {"host": "127.0.0.1", "parallel_workers": 0, "debug": False}
    model = {"name": "sensors", "implementation": "mlserver_model.Onnx"}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))
    process = _start([str(binaries / "mlserver"), "start", str(folder)], folder, binaries)
    tensor = {"name": "features", "shape": [1, len(row)], "datatype": "FP32", "data": row}
    body = json.dumps({"inputs": [tensor]}).encode()
    return Server("MLServer", f"http://127.0.0.1:{port}/v2/models/sensors/infer", body, process)


def _mlflow(folder: Path, names: list[str], row: list[float]) -> Server:
    binaries = _environment("mlflow", "mlflow", "onnxruntime")
    (folder / "mlflow_save.py").write_text(_MLFLOW)
    saving = [str(binaries / "python"), "mlflow_save.py"]
    subprocess.run(saving, cwd=folder, check=True, capture_output=True)
    port = _free_port()
    command = [str(binaries / "mlflow"), "models", "serve", "-m", "mlflow-model", "-w", "1"]
    command += ["--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)]
    process = _start(command, folder, binaries)
    body = json.dumps({"inputs": [row]}).encode()
    return Server("mlflow", f"http://127.0.0.1:{port}/invocations", body, process)


def _bentoml(folder: Path, names: list[str], row: list[float]) -> Server:
    binaries = _environment("bentoml", "bentoml", "onnxruntime")
    (folder / "bento_service.py").write_text(_BENTOML)
    port = _free_port()
    command = [str(binaries / "bentoml"), "serve", "bento_service:Sensors"]
    process = _start([*command, "--host", "127.0.0.1", "--port", str(port)], folder, binaries)
    body = json.dumps({"rows": [row]}).encode()
    return Server("BentoML", f"http://127.0.0.1:{port}/predict", body, process)


def _environment(name: str, *packages: str) -> Path:
    """The programs of an environment that has these packages."""
    folder = ROOT / "build" / f"bench-venv-{name}"
    python = folder / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    if not python.exists():
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", str(python), *packages]
    subprocess.run(install, check=True)
    return folder / "bin"


def _start(
    command: list[str], folder: Path, binaries: Path | None = None
) -> subprocess.Popen[bytes]:
    told = dict(os.environ) | {"BENTOML_DO_NOT_TRACK": "True", "PYTHONWARNINGS": "ignore"}
    told |= {"PYTHONPATH": str(folder) if binaries else ""}
    if binaries is not None:
        told["PATH"] = f"{binaries}:{told['PATH']}"
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        return subprocess.Popen(
            ["taskset", "-c", SERVER_CORE, *command],  # noqa: S607  # of the system
            cwd=folder,
            env=told,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait(server: Server) -> None:
    """Until it answers the row.

    Raises:
        RuntimeError: It does not.
    """
    deadline, said = time.monotonic() + _START_S, ""
    while time.monotonic() < deadline and server.process.poll() is None:
        headers = {"Content-Type": "application/json"}
        asked = urllib.request.Request(server.url, server.body, headers)  # noqa: S310  # ours
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310  # ours
                answer.read()
                return
        except urllib.error.HTTPError as error:
            said = f"{error.code} {error.read()[:300]!r}"
        except OSError as error:
            said = str(error)
        time.sleep(0.3)
    raise RuntimeError(f"{server.name} does not answer: {said}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
