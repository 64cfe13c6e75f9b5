"""What NannyML estimates of windows; runs in the peers' environment.

`python estimate_peers.py FOLDER`: for every `NAME.ref.parquet` there and the windows that follow
each other in `NAME.win.parquet`, the estimates of each window go to `peers.json`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from nannyml.performance_estimation import (  # type: ignore[import-not-found]  # not the project's
    CBPE,
)
from nannyml.performance_estimation.direct_loss_estimation import (  # type: ignore[import-not-found]  # not the project's
    DLE,
)

WINDOW_ROWS = 2_000


def main(folder: Path) -> None:
    """Estimate all that lies in a folder."""
    told: dict[str, Any] = {}
    for path in sorted(folder.glob("*.ref.parquet")):
        name = path.name.removesuffix(".ref.parquet")
        reference = pd.read_parquet(path)
        windows = pd.read_parquet(folder / f"{name}.win.parquet")
        told[name] = _estimates(reference, windows)
    (folder / "peers.json").write_text(json.dumps(told), "utf-8")


def _estimates(reference: pd.DataFrame, windows: pd.DataFrame) -> dict[str, list[float]]:
    features = [c for c in reference.columns if c.startswith("f")]
    if "proba" in reference:
        metrics = ["accuracy", "roc_auc"]
        made = CBPE(
            metrics=metrics,
            y_pred_proba="proba",
            y_pred="said",
            y_true="truth",
            problem_type="classification_binary",
            chunk_size=WINDOW_ROWS,
        )
    else:
        metrics = ["mae", "rmse"]
        made = DLE(
            metrics=metrics,
            feature_column_names=features,
            y_pred="said",
            y_true="truth",
            chunk_size=WINDOW_ROWS,
        )
    found = made.fit(reference).estimate(windows).filter(period="analysis").to_df()
    return {metric: found[metric]["value"].tolist() for metric in metrics}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
