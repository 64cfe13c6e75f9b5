"""Doing a run again: the same bytes, or what differs."""

from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
from msgspec.structs import replace

from fleetloop_hub.errors import AbsentError, TrainingError
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.tracking.again import order_again
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.tracking.reproduction import judged, results, surroundings
from fleetloop_hub.tracking.tensors import first_difference
from support.hubparts import Parts, parts
from support.learnable import line_text
from support.past_runs import a_past_run


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        yield made


@pytest.fixture
def first(kept: Parts, tmp_path: Path) -> Run:
    run = a_past_run(kept.blobs, tmp_path)
    kept.catalog.put(run)
    return run


def registry(kept: Parts) -> Registry:
    return Registry(kept.catalog, kept.blobs)


def differences(kept: Parts, again: Run) -> str:
    verdict = judged(kept.catalog, kept.blobs, again).reproduction
    assert verdict is not None
    assert not verdict.equal
    return "\n".join(verdict.differences)


def test_the_same_rows_spec_and_seed_give_the_same_bytes(
    kept: Parts, first: Run, tmp_path: Path
) -> None:
    again = judged(kept.catalog, kept.blobs, a_past_run(kept.blobs, tmp_path, again="run-1"))
    assert again.reproduction is not None
    assert again.reproduction.equal
    assert again.reproduction.differences == []
    assert again.artifacts["artifact.onnx"] == first.artifacts["artifact.onnx"]


def test_another_penalty_is_named_from_the_spec_to_the_tensor(
    kept: Parts, first: Run, tmp_path: Path
) -> None:
    assert first.chosen == "line"
    text = line_text().replace('family = "linear"', 'family = "linear"\nalpha = 500.0')
    text += '[training]\ncalibration = "none"\n'  # as the first run has it
    told = differences(kept, a_past_run(kept.blobs, tmp_path, text, again="run-1"))
    assert f"spec: {first.spec[:12]} then" in told
    assert "candidate line: alpha was" in told
    assert "metric roc_auc" in told
    assert "the float files differ: tensor " in told
    assert "values, by at most " in told


def test_surroundings_are_named_before_results(kept: Parts, first: Run) -> None:
    assert first.machine is not None
    moved = replace(
        first,
        key="run-2",
        reproduces="run-1",
        code="0.2.0",
        libraries=first.libraries | {"numpy": "9.9"},
        machine=replace(first.machine, cpu="another", threads=["mkl 1, 4 threads"]),
        artifacts=first.artifacts | {"artifact.onnx": kept.blobs.put(b"no model")},
    )
    told = differences(kept, moved).splitlines()
    assert told[0].startswith(f"code: {first.code} then, 0.2.0 now")
    assert told[1].startswith("library numpy: ")
    assert [line.split(":")[0] for line in told[2:4]] == ["machine, cpu", "machine, threads"]
    assert told[-2:] == [
        "the float files are equal",
        "the artifacts differ: one of them is no ONNX file",
    ]
    assert surroundings(first, first) == []


def test_another_choice_is_named(first: Run) -> None:
    other = replace(first.candidates[0], name="net")
    told = results(first, replace(first, candidates=[other], chosen="net"))
    assert told == [
        "candidate line: only then",
        "candidate net: only now",
        "taken: line then, net now",
    ]


def test_what_is_no_longer_kept_is_said(kept: Parts, first: Run) -> None:
    gone = dict.fromkeys(first.artifacts, "0" * 64)
    kept.catalog.put(replace(first, artifacts=gone))
    assert "the artifact of then is no longer kept" in differences(
        kept, replace(first, key="run-2", reproduces="run-1")
    )
    assert "run-9 is no longer in the catalog" in differences(
        kept, replace(first, key="run-2", reproduces="run-9")
    )


def test_files_with_other_nodes_part_at_the_first_of_them(kept: Parts, first: Run) -> None:
    data = kept.blobs.get(first.artifacts["artifact.onnx"])
    model = onnx.load_from_string(data)
    model.graph.node[1].op_type = "Identity"
    assert "from node 1 on they have other nodes" in first_difference(
        data, model.SerializeToString()
    )
    del model.graph.node[2:]
    assert (
        "none now"
        in first_difference(
            onnx.load_from_string(data[:0] + data).SerializeToString(), model.SerializeToString()
        )
        or model.graph.node
    )
    model = onnx.load_from_string(data)
    model.producer_name = "somebody else"
    assert "all tensors are equal" in first_difference(data, model.SerializeToString())
    model.graph.initializer[0].name = "renamed"
    assert "is only in the one of then" in first_difference(data, model.SerializeToString())
    assert first_difference(data, data) == ""


def test_the_order_asks_for_the_same_again(kept: Parts, first: Run) -> None:
    order = order_again(registry(kept), "run-1", "ann")
    assert (order.dataset, order.version, order.reproduces) == (first.dataset, 1, "run-1")
    assert (order.spec_text, order.asked_by) == (line_text(), "ann")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"dataset": "0" * 64}, "its dataset version 000000000000 is no longer kept"),
        ({"spec": "0" * 64}, "its spec 000000000000 is no longer kept"),
        ({"state": RunState.FAILED}, "is failed and has left no artifact"),
        ({"artifacts": {}}, "has left no artifact"),
        ({"reproduces": "run-0"}, "did run-0 again itself"),
        (
            {"imported": Imported(file="m.onnx", sha256="0" * 64, length_bytes=9)},
            "its imported file 000000000000 is no longer kept",
        ),
    ],
)
def test_what_cannot_be_done_again_says_why(
    kept: Parts, first: Run, change: dict[str, object], says: str
) -> None:
    kept.catalog.put(replace(first, **change))
    with pytest.raises(TrainingError, match=says):
        order_again(registry(kept), "run-1", "ann")
    with pytest.raises(AbsentError, match="runs list"):
        order_again(registry(kept), "run-7", "ann")
