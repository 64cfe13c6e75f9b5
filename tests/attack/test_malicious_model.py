"""Malicious model: a file that is signed and does harm is stopped before it serves a row.

The child process of the self-test is the real one, with its real limits.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetloop_agent.device.selftest import ChildSelfTest
from fleetloop_agent.errors import ModelError
from fleetloop_agent.model_file import check_model_file
from fleetloop_agent.ports import Finding
from support import bad_models as bad
from support.hubside import manifest_of, tiny_model

GOOD = tiny_model(1.0)
GOLDEN = Path(__file__).parents[1] / "golden" / "onnx"

BEFORE_ANY_RUNTIME = {
    "weights in /etc/passwd": (bad.weights_in_another_file("../../etc/passwd"), "external data"),
    "weights in a device": (bad.weights_in_another_file("/dev/zero"), "external data"),
    "a node's weights elsewhere": (
        bad.weights_in_another_file("/etc/passwd", in_a_node=True),
        "external data",
    ),
    "an operator of somebody else": (bad.operator("com.evil", "Run"), "com.evil Run"),
    "a compiled engine": (bad.operator("com.microsoft", "EPContext"), "EPContext"),
    "Python": (bad.operator("com.microsoft", "PythonOp"), "PythonOp"),
    "a loop without an end": (bad.endless_loop(), "operator 'Loop'"),
    "branches deeper than the stack": (bad.branches(5_000), "deep"),
    "nothing": (b"", "0 graphs"),
    "no ONNX": (b"MZ\x90\x00" * 100, "no ONNX"),
    "cut short": (GOOD[:-9], "cut short"),
    "two graphs": (GOOD + GOOD, "2 graphs"),
}
UNDER_LIMITS = {
    "gigabytes": (bad.gigabytes, "bad_alloc"),
    "a form of 10^18 values": (bad.huge_reshape, "of shape [1000000000"),
    "a tensor of 4 TB": (bad.tensor_that_lies, "does not load"),
    "nodes that wait for each other": (bad.cycle, "does not load"),
    "an operator that does not exist": (lambda: bad.operator("", "Nonsense"), "does not load"),
    "80 MB of nothing": (lambda: bad.bomb(80_000_000), "of memory (may: 50,000,000)"),
}


@pytest.fixture
def child() -> Iterator[ChildSelfTest]:
    with closing(ChildSelfTest()) as child:
        yield child


def found(child: ChildSelfTest, artifact: bytes) -> Finding:
    manifest = manifest_of(GOOD, 1, 1.0)
    budget = msgspec.structs.replace(manifest.budget, memory_bytes=50_000_000)
    child.start(msgspec.structs.replace(manifest, budget=budget), artifact)
    deadline = time.monotonic() + 60
    while (finding := child.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return finding


@pytest.mark.parametrize(
    ("artifact", "told"), BEFORE_ANY_RUNTIME.values(), ids=BEFORE_ANY_RUNTIME.keys()
)
def test_what_no_model_needs_is_refused_before_a_runtime_reads_it(
    artifact: bytes, told: str
) -> None:
    with pytest.raises(ModelError, match=told):
        check_model_file(artifact)


@pytest.mark.parametrize(("make", "told"), UNDER_LIMITS.values(), ids=UNDER_LIMITS.keys())
def test_what_only_running_shows_is_refused_by_the_limited_child(
    child: ChildSelfTest, make: Callable[[], bytes], told: str
) -> None:
    artifact = make()
    check_model_file(artifact)  # so that it is the child that refuses
    finding = found(child, artifact)
    assert not finding.passed
    assert told in finding.text


def test_a_graph_that_takes_minutes_is_ended() -> None:
    with closing(ChildSelfTest(wall_s=1.0)) as child:
        assert "no result within 1 s" in found(child, bad.minutes()).text


def test_good_models_of_many_libraries_are_not_refused() -> None:
    files = [*GOLDEN.glob("*.onnx")]
    assert len(files) > 10
    for file in files:
        check_model_file(file.read_bytes())
    check_model_file(GOOD)


@given(st.binary(max_size=400))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    for artifact in (data, GOOD[:200] + data, data + GOOD):
        try:
            check_model_file(artifact)
        except ModelError:
            continue
