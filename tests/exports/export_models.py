"""Exports small models of other libraries as ONNX, with what those libraries answer themselves.

`make exports` makes an environment with the libraries and runs this. Each model is fitted on the
older four fifths of rows that scikit-learn bundles; `expected.json` records how good the library's
own model is on the newest fifth, and what it answers to the first of these rows.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnx
import onnxmltools
import sklearn.datasets
import torch
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as PlainFloats
from skl2onnx import convert_sklearn, to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HELD_OUT = 0.2
RECORDED_ROWS = 10
Answers = np.ndarray


class Rows:
    """Rows of a bundled data set, shuffled once, oldest first."""

    def __init__(self, name: str) -> None:
        data = getattr(sklearn.datasets, f"load_{name}")()
        order = np.random.default_rng(0).permutation(len(data.target))
        self.x = data.data[order].astype(np.float32)
        self.y = data.target[order]
        self.old = round(len(order) * (1 - HELD_OUT))
        self.width = self.x.shape[1]


def main(folder: Path) -> None:
    """Write every model and `expected.json`."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    expected: dict[str, Any] = {}
    for export in (torch_models, boosted_models, scikit_models):
        export(folder, expected)
    for path in sorted(folder.glob("*.onnx")):
        model = onnx.load(path)
        for node in model.graph.node:  # notes of the exporter name folders of this machine
            kept = [p for p in node.metadata_props if not p.key.endswith("stack_trace")]
            del node.metadata_props[:]
            node.metadata_props.extend(kept)
        onnx.save(model, path)
        print(f"{path.name:<32}{path.stat().st_size:>8,} bytes  {model.producer_name}")  # noqa: T201
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def note(  # noqa: PLR0913, PLR0917  # a record of what was exported
    expected: dict[str, Any], name: str, data: str, rows: Rows, answers: Answers, task: str
) -> None:
    """Record how good answers on the newest rows are, and the first of them."""
    truth = rows.y[rows.old :]
    if task == "regression":
        metric, value = "r2", r2_score(truth, answers.ravel())
    elif task == "anomaly":
        metric, value = "roc_auc", roc_auc_score(truth == 0, answers.ravel())
    else:
        labels = answers.argmax(axis=1)
        metric, value = "accuracy", accuracy_score(truth, labels)
    expected[name] = {
        "data": data,
        "task": task,
        "metric": metric,
        "value": float(value),
        "answers": np.asarray(answers[:RECORDED_ROWS], np.float64).round(9).tolist(),
    }


def torch_models(folder: Path, expected: dict[str, Any]) -> None:
    """A dense and a convolutional net on digits, and one with a single logit."""
    digits, cancer = Rows("digits"), Rows("breast_cancer")
    nn = torch.nn
    dense = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    fit(dense, digits, (64,), nn.CrossEntropyLoss())
    image = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(48, 10),
    )
    fit(image, digits, (1, 8, 8), nn.CrossEntropyLoss())
    logit = nn.Sequential(nn.BatchNorm1d(30), nn.Linear(30, 8), nn.ReLU(), nn.Linear(8, 1))
    fit(
        logit,
        cancer,
        (30,),
        lambda out, y: nn.functional.binary_cross_entropy_with_logits(out[:, 0], y.float()),
    )
    for model in (dense, image, logit):
        model.eval()
    batch = torch.export.Dim("batch")
    kinds: dict[str, tuple[Any, Rows, tuple[int, ...], dict[str, Any]]] = {
        "torch_dense_old": (
            dense,
            digits,
            (64,),
            {
                "dynamo": False,
                "input_names": ["x"],
                "output_names": ["logits"],
                "dynamic_axes": {"x": {0: "batch"}, "logits": {0: "batch"}},
            },
        ),
        "torch_dense": (dense, digits, (64,), {"dynamo": True, "dynamic_shapes": ({0: batch},)}),
        "torch_image_old": (
            image,
            digits,
            (1, 8, 8),
            {"dynamo": False, "dynamic_axes": {"image": {0: "n"}}, "input_names": ["image"]},
        ),
        "torch_image": (
            image,
            digits,
            (1, 8, 8),
            {"dynamo": True, "dynamic_shapes": ({0: batch},)},
        ),
        "torch_image_one_row": (image, digits, (1, 8, 8), {"dynamo": False}),
        "torch_image_one_row_new": (image, digits, (1, 8, 8), {"dynamo": True}),
        "torch_logit": (logit, cancer, (30,), {"dynamo": True, "dynamic_shapes": ({0: batch},)}),
    }
    for name, (model, rows, shape, options) in kinds.items():
        one = torch.zeros((1 if "one_row" in name else 2, *shape))
        torch.onnx.export(
            model,
            (one,),
            str(folder / f"{name}.onnx"),
            **({"external_data": False} if options["dynamo"] else {}) | options,
        )
        data = "breast_cancer" if rows is cancer else "digits"
        with torch.no_grad():
            out = model(torch.tensor(rows.x[rows.old :]).reshape(-1, *shape))
        if out.shape[1] == 1:
            p = torch.sigmoid(out)
            answers = torch.cat([1 - p, p], dim=1)
        else:
            answers = torch.softmax(out, dim=1)
        note(expected, name, data, rows, answers.numpy(), "classification")


def fit(
    model: Any,  # noqa: ANN401  # PyTorch's
    rows: Rows,
    shape: tuple[int, ...],
    loss: Callable[[Any, Any], Any],
) -> None:
    """Plain Adam over shuffled batches."""
    x = torch.tensor(rows.x[: rows.old]).reshape(-1, *shape)
    y = torch.tensor(rows.y[: rows.old]).long()
    adam = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
    for _ in range(30):
        for places in torch.randperm(len(x)).split(64):
            adam.zero_grad()
            loss(model(x[places]), y[places]).backward()
            adam.step()


def boosted_models(folder: Path, expected: dict[str, Any]) -> None:
    """XGBoost and LightGBM: two classes, several, and a number."""
    sizes = {"n_estimators": 20, "max_depth": 3, "n_jobs": 1, "random_state": 0}
    for data, task in (
        ("breast_cancer", "classification"),
        ("wine", "classification"),
        ("diabetes", "regression"),
    ):
        rows = Rows(data)
        kinds = {
            "xgboost": (
                xgboost.XGBRegressor if task == "regression" else xgboost.XGBClassifier,
                onnxmltools.convert_xgboost,
            ),
            "lightgbm": (
                lightgbm.LGBMRegressor if task == "regression" else lightgbm.LGBMClassifier,
                onnxmltools.convert_lightgbm,
            ),
        }
        for library, (kind, convert) in kinds.items():
            extra = {"verbose": -1} if library == "lightgbm" else {}
            model = kind(**sizes, **extra).fit(rows.x[: rows.old], rows.y[: rows.old])
            form = [("input", PlainFloats([None, rows.width]))]
            name = f"{library}_{data}"
            onnx.save(convert(model, initial_types=form), folder / f"{name}.onnx")
            newest = rows.x[rows.old :]
            answers = (
                model.predict(newest).reshape(-1, 1)
                if task == "regression"
                else model.predict_proba(newest)
            )
            note(expected, name, data, rows, answers, task)


def scikit_models(folder: Path, expected: dict[str, Any]) -> None:
    """A pipeline with ZipMap, the same in doubles with text classes, and an isolation forest."""
    wine = Rows("wine")
    names = np.array(["barolo", "grignolino", "barbera"])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    pipeline.fit(wine.x[: wine.old], wine.y[: wine.old])
    form = [("input", FloatTensorType([None, wine.width]))]
    onnx.save(convert_sklearn(pipeline, initial_types=form), folder / "scikit_wine.onnx")
    newest = wine.x[wine.old :]
    note(expected, "scikit_wine", "wine", wine, pipeline.predict_proba(newest), "classification")

    pipeline.fit(wine.x[: wine.old].astype(np.float64), names[wine.y[: wine.old]])
    model = to_onnx(pipeline, wine.x[:1].astype(np.float64))
    onnx.save(model, folder / "scikit_wine_names.onnx")
    order = [list(pipeline.classes_).index(name) for name in names]
    answers = pipeline.predict_proba(newest.astype(np.float64))[:, order]
    note(expected, "scikit_wine_names", "wine", wine, answers, "classification")

    cancer = Rows("breast_cancer")
    forest = IsolationForest(n_estimators=10, max_samples=64, random_state=0)
    forest.fit(cancer.x[: cancer.old])
    model = to_onnx(forest, cancer.x[:1], target_opset={"": 17, "ai.onnx.ml": 3})
    onnx.save(model, folder / "scikit_forest.onnx")
    odd = -forest.decision_function(cancer.x[cancer.old :])
    note(expected, "scikit_forest", "breast_cancer", cancer, odd.reshape(-1, 1), "anomaly")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
