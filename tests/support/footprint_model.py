"""A model as devices have them: 30 sensors, a small int8 network, with a whole manifest."""

import tempfile
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from fleetloop_hub.packaging.reference import build_reference
from fleetloop_shared.manifest import Feature, Golden, Signature
from fleetloop_shared.profile import DriftThresholds, ScaleThresholds
from support.hubside import Hubside, Shipment, manifest_of

NAMES = [f"sensor_{number}" for number in range(30)]
HIDDEN = 32
BLOCK_ROWS = 256


def artifact() -> bytes:
    """The network: 30 inputs, 32 hidden, two classes; int8 weights."""
    rng = np.random.default_rng(0)
    shapes = {"a": (len(NAMES), HIDDEN), "b": (HIDDEN,), "c": (HIDDEN, 2), "d": (2,)}
    weights = [
        numpy_helper.from_array(rng.normal(0, 0.3, shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("MatMul", ["input", "a"], ["h1"]),
        helper.make_node("Add", ["h1", "b"], ["h2"]),
        helper.make_node("Relu", ["h2"], ["h3"]),
        helper.make_node("MatMul", ["h3", "c"], ["o1"]),
        helper.make_node("Add", ["o1", "d"], ["o2"]),
        helper.make_node("Softmax", ["o2"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, len(NAMES)])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, source)
        quantize_dynamic(source, target, weight_type=QuantType.QInt8)
        return target.read_bytes()


def shipment(hub: Hubside, version: int = 1) -> Shipment:
    """The model with reference, thresholds and golden vectors, as a hub would ship it."""
    data = artifact()
    rows = np.random.default_rng(1).normal(size=(2_000, len(NAMES))).astype(np.float32)
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    outputs = session.run(["probabilities"], {"input": rows})[0]
    features = [Feature(name=name) for name in NAMES]
    width = len(features)
    manifest = msgspec.structs.replace(
        manifest_of(data, version),
        signature=Signature(
            input_name="input",
            score_name="probabilities",
            features=features,
            classes=[0, 1],
            positive=1,
            decision_threshold=0.5,
        ),
        reference=build_reference(features, rows, outputs[:, 1].astype(np.float64)),
        thresholds=DriftThresholds(
            window_rows=4 * BLOCK_ROWS,
            false_alarms_per_million_rows=1.0,
            scales=[
                ScaleThresholds(
                    rows=rows_,
                    anderson_darling=[20.0] * width,
                    triangular=[0.5] * width,
                    rare=[20.0] * width,
                    correlation=6.0,
                    score=0.5,
                )
                for rows_ in (BLOCK_ROWS, 2 * BLOCK_ROWS, 4 * BLOCK_ROWS)
            ],
        ),
        golden=Golden(inputs=rows[:4].tolist(), outputs=outputs[:4].tolist(), tolerance=0.05),
    )
    return hub.ship_bytes(manifest, data)
