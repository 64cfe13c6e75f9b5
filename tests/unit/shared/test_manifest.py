"""A manifest whose parts contradict each other is refused, with the contradiction named."""

from typing import Any

import msgspec
import pytest

from fleetloop_shared.errors import ManifestError
from fleetloop_shared.manifest import Feature, Manifest, Signature
from fleetloop_shared.manifest_check import check
from support import kinds

MANIFEST = kinds.model("three classes")[0]
FORM = MANIFEST.signature


def signature(**changes: object) -> dict[str, Any]:
    return {"signature": msgspec.structs.replace(FORM, **changes)}


def golden(**changes: object) -> dict[str, Any]:
    return {"golden": msgspec.structs.replace(MANIFEST.golden, **changes)}


def features(place: int, **changes: object) -> list[Feature]:
    changed = list(FORM.features)
    changed[place] = msgspec.structs.replace(changed[place], **changes)
    return changed


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"schema": 3}, "schema 3, this agent reads 2: update the older of the two"),
    (signature(task="poetry"), "a task this agent does not know: 'poetry'"),
    (signature(task="regression"), "a regression with classes"),
    (signature(classes=[1], class_names=[]), "fewer than two classes"),
    (signature(classes=[0, 1, 1]), "a class stands twice"),
    (signature(class_names=["dry"]), "class names are not one a class"),
    (signature(class_names=["dry", "dry", "wet"]), "class names are not one a class"),
    (signature(positive=3), "the positive class is not among the classes"),
    (signature(positive=-2), "the positive class is not among the classes"),
    (signature(score_high=0.0), "the score histogram has no width"),
    (signature(score_low=float("nan")), "the score histogram has no width"),
    (signature(features=features(1, categories=["a", "a", "b"])), "a category stands twice"),
    (signature(features=features(1, categories=[])), "reference features are not the model's"),
    (signature(features=features(0, categories=["a"])), "reference features are not the model's"),
    (golden(outputs=MANIFEST.golden.outputs[1:]), "golden rows without their outputs"),
    (golden(outputs=[]), "golden rows without their outputs"),
    (golden(outputs=[[0.5, 0.5] for _ in MANIFEST.golden.inputs]), "golden outputs are not the"),
    (golden(inputs=[[1.0] for _ in MANIFEST.golden.inputs]), "golden rows are not the model's"),
]


@pytest.mark.parametrize(("changes", "told"), WRONG, ids=[told for _, told in WRONG])
def test_a_contradiction_is_refused_by_name(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ManifestError, match=f"manifest of kind 1: .*{told}"):
        check(msgspec.structs.replace(MANIFEST, **changes))


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_one_that_agrees_with_itself_is_given_back(kind: str) -> None:
    manifest: Manifest = kinds.model(kind)[0]
    assert check(manifest) is manifest


def test_the_output_of_a_regression_has_one_column_others_one_a_class() -> None:
    columns = {kind: kinds.model(kind)[0].signature.columns for kind in kinds.KINDS}
    assert columns == {"two classes": 2, "three classes": 3, "regression": 1, "anomaly": 2}
    empty: Signature = msgspec.structs.replace(FORM, task="regression", classes=[])
    assert empty.columns == 1
