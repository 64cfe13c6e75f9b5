"""Every family as a lean graph says what scikit-learn says, to the last leaf."""

import numpy as np
import onnx
import pytest

from fleetloop_hub.packaging.artifact import Artifact, Outputs
from fleetloop_hub.packaging.files import files
from fleetloop_hub.packaging.packing import Trial, pack
from fleetloop_hub.spec.scalars import Family
from support.fitted_models import CASES, COLUMNS, Example, example

EXACT = {"float32", "trees, float32"}


def written(case: Example) -> dict[str, bytes]:
    return dict(files(case.fitted, case.head, case.learned))


def wanted(case: Example) -> Outputs:
    raw = case.fitted.raw(case.fresh)
    return case.head.apply(raw, case.fresh).astype(np.float32)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize(("kind", "family"), CASES)
def test_the_float32_form_says_what_the_model_says(kind: str, family: Family, columns: str) -> None:
    case = example(kind, family, columns)
    [data] = [data for recipe, data in written(case).items() if recipe in EXACT]
    onnx.checker.check_model(onnx.load_from_string(data))
    found = Artifact(data, case.signature).outputs(case.fresh)
    np.testing.assert_allclose(found, wanted(case), rtol=1e-5, atol=1e-5)
    assert found.std(axis=0).min() > 0.001


@pytest.mark.parametrize(("kind", "family"), CASES)
def test_equal_models_are_equal_bytes_in_every_form(kind: str, family: Family) -> None:
    case = example(kind, family)
    assert written(case) == written(case)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize(("kind", "family"), CASES)
def test_every_smaller_form_stays_near(kind: str, family: Family, columns: str) -> None:
    case = example(kind, family, columns)
    want = wanted(case)
    spread = want.std() + 0.05
    for recipe, data in written(case).items():
        found = Artifact(data, case.signature).outputs(case.fresh)
        assert np.abs(found - want).mean() < 0.1 * spread, recipe


@pytest.mark.parametrize(("kind", "family"), CASES)
def test_an_answer_does_not_depend_on_the_rows_beside_it(kind: str, family: Family) -> None:
    case = example(kind, family, "categories")
    for recipe, data in written(case).items():
        artifact = Artifact(data, case.signature)
        together = artifact._session.run(None, {"features": case.fresh})[0]
        alone = artifact.outputs(case.fresh)
        np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5, err_msg=recipe)


@pytest.mark.parametrize(("kind", "family"), CASES)
def test_what_is_packed_is_no_larger_than_the_float_form(kind: str, family: Family) -> None:
    case = example(kind, family)
    want = wanted(case)

    def nearness(outputs: Outputs) -> float:
        return -float(np.abs(outputs - want).mean())

    packed = pack(
        case.fitted,
        case.head,
        case.signature,
        Trial(case.fresh, nearness, 0.05, 0.05, learned=case.learned),
    )
    assert len(packed.data) <= len(packed.float_data)
    assert packed.transport_bytes <= len(packed.data)
    assert packed.note == ""
