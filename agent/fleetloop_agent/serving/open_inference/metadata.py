"""What the protocol's clients are told about the agent and its model before they ask for answers.

The model's configuration, statistics and index are in the form of Triton's extensions.
"""

from fleetloop_agent.ports import Health
from fleetloop_agent.serving.open_inference.outputs import Outputs
from fleetloop_agent.version import VERSION
from fleetloop_shared.manifest import Manifest

PLATFORM = "onnxruntime_onnx"
SERVER: dict[str, object] = {
    "name": "fleetloop-agent",
    "version": VERSION,
    "extensions": ["binary_tensor_data", "model_configuration", "model_repository", "statistics"],
}


def model(manifest: Manifest, outputs: Outputs) -> dict[str, object]:
    """The model's inputs and outputs."""
    signature = manifest.signature
    shape = [-1, len(signature.features)]
    return {
        "name": manifest.model,
        "versions": [str(manifest.version)],
        "platform": PLATFORM,
        "inputs": [{"name": signature.input_name, "datatype": "FP32", "shape": shape}],
        "outputs": [
            {"name": name, "datatype": datatype, "shape": outputs.shape(name, -1)}
            for name, datatype in outputs.offered.items()
        ],
        "parameters": {"artifact": manifest.sha256},
    }


def config(manifest: Manifest, outputs: Outputs) -> dict[str, object]:
    """The same as a configuration."""
    signature = manifest.signature
    dims = [-1, len(signature.features)]
    return {
        "name": manifest.model,
        "platform": PLATFORM,
        "backend": "onnxruntime",
        "max_batch_size": 0,
        "input": [{"name": signature.input_name, "data_type": "TYPE_FP32", "dims": dims}],
        "output": [
            {
                "name": name,
                "data_type": "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}",
                "dims": outputs.shape(name, -1),
            }
            for name, datatype in outputs.offered.items()
        ],
    }


def statistics(manifest: Manifest, health: Health) -> dict[str, object]:
    """Rows since the model was loaded; times are in the agent's reports."""
    return {
        "model_stats": [
            {
                "name": manifest.model,
                "version": str(manifest.version),
                "inference_count": health.rows,
                "inference_stats": {
                    "success": {"count": health.rows},
                    "fail": {"count": health.errors},
                },
            }
        ]
    }


def index(manifest: Manifest | None) -> list[dict[str, str]]:
    """The models that are here: the one that serves."""
    if manifest is None:
        return []
    ready = {"state": "READY", "reason": ""}
    return [{"name": manifest.model, "version": str(manifest.version), **ready}]
