"""The local endpoint as the agent runs it, alone in a process: `bench_server.py FOLDER PORT`."""

import sys
import time
from pathlib import Path

from fleetloop_agent.device.clock import RealClock
from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.api import LocalApi
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.routes import Routes
from fleetloop_shared.codec import decode
from fleetloop_shared.manifest import Manifest


def main(folder: Path, port: int) -> None:
    """Serve the model of a folder, and collect windows once a second as the agent does."""
    predictor = Predictor("bench", 1, OrtRuntime(), RealClock())
    manifest = decode((folder / "manifest.json").read_bytes(), Manifest)
    predictor.load(manifest, (folder / "model.onnx").read_bytes())
    config = HttpConfig(port=port)
    LocalApi(Routes(predictor, dict, config), config).start()
    while True:
        time.sleep(1)
        predictor.collect()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
