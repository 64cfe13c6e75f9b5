"""The self-test: a real model in the real runtime, in a child process with limits."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fleetloop_agent.device import selftest, selftest_child
from fleetloop_agent.device.host import RealHost
from fleetloop_agent.device.selftest import ChildSelfTest
from fleetloop_agent.ports import Clock, Finding, Host, Model, Rows, Runtime
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.update.examine import BLOCK_ROWS, examine
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.manifest import Manifest, Signature
from support.agent_board import SmallHost, StandingClock
from support.hubside import manifest_of, tiny_model

ARTIFACT = tiny_model(1.0)
MANIFEST = manifest_of(ARTIFACT, 1, 1.0)


class SlowModel(Model):
    """Takes a set number of seconds a call, by a clock of its own."""

    def __init__(self, clock: StandingClock, seconds: list[float]) -> None:
        self._clock, self._seconds, self._calls = clock, seconds, 0

    def outputs(self, rows: Rows) -> Rows:
        self._clock.at += self._seconds[self._calls // BLOCK_ROWS % len(self._seconds)]
        self._calls += len(rows) == 1
        score = 1 / (1 + np.exp(-(rows.sum(axis=1) + 1.0)))
        return np.stack([1 - score, score], axis=1).astype(np.float32)


class SlowRuntime(Runtime):
    def __init__(self, model: Model) -> None:
        self._model = model

    def load(self, artifact: bytes, signature: Signature) -> Model:
        return self._model


class GreedyHost(Host):
    """Says more memory each time it is asked."""

    def __init__(self, added_bytes: int) -> None:
        self._bytes, self._added = 0, added_bytes

    def rss_bytes(self) -> int:
        self._bytes += self._added
        return self._bytes


def found(manifest: Manifest = MANIFEST, artifact: bytes = ARTIFACT) -> Finding:
    return examine(manifest, artifact, OrtRuntime(), StandingClock(), SmallHost())


def altered_golden(**changes: object) -> Manifest:
    golden = msgspec.structs.replace(MANIFEST.golden, **changes)
    return msgspec.structs.replace(MANIFEST, golden=golden)


def altered_budget(**changes: object) -> Manifest:
    budget = msgspec.structs.replace(MANIFEST.budget, **changes)
    return msgspec.structs.replace(MANIFEST, budget=budget)


def test_the_model_the_hub_signed_proves_itself() -> None:
    assert found().passed


def test_other_outputs_than_signed_fail() -> None:
    outputs = [[no + 0.01, yes] for no, yes in MANIFEST.golden.outputs]
    finding = found(altered_golden(outputs=outputs))
    assert not finding.passed
    assert "outputs differ by 0.01" in finding.text
    assert found(altered_golden(outputs=outputs, tolerance=0.02)).passed


def test_a_score_that_is_no_number_fails() -> None:
    rows: list[list[float | None]] = [[None, 0.0]]
    finding = found(altered_golden(inputs=rows, outputs=[[0.5, 0.5]], tolerance=1e9))
    assert not finding.passed


def test_bytes_that_are_no_model_fail_with_the_reason() -> None:
    finding = found(artifact=b"junk")
    assert not finding.passed
    assert finding.text


def measured(manifest: Manifest, seconds: list[float], host: Host | None = None) -> Finding:
    clock: StandingClock = StandingClock()
    runtime = SlowRuntime(SlowModel(clock, seconds))
    return examine(manifest, ARTIFACT, runtime, clock, host or SmallHost())


def test_a_model_slower_than_its_budget_fails() -> None:
    assert measured(altered_budget(latency_ms=20.0), [0.019]).passed
    finding = measured(altered_budget(latency_ms=20.0), [0.021])
    assert not finding.passed
    assert "answers take 21 ms" in finding.text


def test_a_busy_moment_of_the_device_is_not_the_models_fault() -> None:
    assert measured(altered_budget(latency_ms=20.0), [0.5, 0.001]).passed


def test_a_model_that_needs_more_memory_than_its_budget_fails() -> None:
    assert measured(altered_budget(memory_bytes=1_000), [0.0], GreedyHost(1_000)).passed
    assert not measured(altered_budget(memory_bytes=999), [0.0], GreedyHost(1_000)).passed


@pytest.fixture
def child() -> Iterator[ChildSelfTest]:
    with closing(ChildSelfTest()) as child:
        yield child


def waited(child: ChildSelfTest) -> Finding:
    deadline = time.monotonic() + 30
    while (finding := child.poll()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return finding


def test_a_child_process_finds_the_same(child: ChildSelfTest) -> None:
    child.start(MANIFEST, ARTIFACT)
    finding = waited(child)
    assert finding.passed, finding.text
    child.start(MANIFEST, b"junk")
    assert not waited(child).passed


def test_a_test_that_was_never_started_has_failed(child: ChildSelfTest) -> None:
    finding = child.poll()
    assert finding is not None
    assert not finding.passed


def run_instead(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    command = [*selftest._COMMAND[:1], "-c", program]
    monkeypatch.setattr(selftest, "_COMMAND", command)


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ("import os; os.abort()", "ended by signal 6"),
        ("raise MemoryError('no more')", "MemoryError: no more"),
        ("print('hello')", "cannot be read"),
        ("import sys; sys.exit(3)", "ended with 3"),
    ],
)
def test_a_child_that_dies_has_failed(
    monkeypatch: pytest.MonkeyPatch, child: ChildSelfTest, program: str, told: str
) -> None:
    run_instead(monkeypatch, program)
    child.start(MANIFEST, ARTIFACT)
    finding = waited(child)
    assert not finding.passed
    assert told in finding.text


HANGS = "import sys, time; sys.stdin.buffer.read(); time.sleep(600)"


def test_a_child_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    run_instead(monkeypatch, HANGS)
    with closing(ChildSelfTest(wall_s=0.2)) as child:
        child.start(MANIFEST, ARTIFACT)
        assert "no result within" in waited(child).text


def test_a_new_test_gives_the_running_one_up(
    monkeypatch: pytest.MonkeyPatch, child: ChildSelfTest
) -> None:
    with monkeypatch.context() as patched:
        run_instead(patched, HANGS)
        child.start(MANIFEST, ARTIFACT)
        assert child.poll() is None
    child.start(MANIFEST, ARTIFACT)
    assert waited(child).passed


LIMITED = """
import sys
from fleetloop_agent.device import selftest_child
selftest_child.SLACK_BYTES = 50_000_000
selftest_child.limit(1_000_000, selftest_child.OpenedHost())
sys.stdin.buffer.read()
held = bytearray(400_000_000)
"""


def test_a_model_cannot_eat_the_devices_memory(
    monkeypatch: pytest.MonkeyPatch, child: ChildSelfTest
) -> None:
    run_instead(monkeypatch, LIMITED)
    child.start(MANIFEST, ARTIFACT)
    assert "MemoryError" in waited(child).text


TRIES = """
import os
LISTING = os.open("/proc/self/fd", os.O_RDONLY)
SEEN = os.listdir(LISTING)
import resource, socket, sys
from fleetloop_agent.device import selftest_child
sys.stdin.buffer.read()
selftest_child.limit(1_000_000, selftest_child.OpenedHost())
{attempt}
print("done", file=sys.stderr, flush=True)
sys.exit(9)
"""


@pytest.mark.parametrize(
    ("attempt", "told"),
    [
        ("open('/etc/passwd')", "Too many open files"),
        ("open('/tmp/x', 'w')", "Too many open files"),
        ("socket.socket()", "Too many open files"),
        ("os.pipe()", "Too many open files"),
        ("resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass", "ended by signal"),
        ("[0] * 10**9", "MemoryError"),
        ("[os.write(2, b'x' * 60_000) for _ in range(9)]", "says more than a result"),
        ("[os.write(1, b'x' * 60_000) for _ in range(9)]", "says more than a result"),
        ("assert not [n for n in os.environ if 'SECRET' in n]", "done"),
        ("assert set(map(int, SEEN)) <= {0, 1, 2, LISTING, LISTING + 1}", "done"),
    ],
)
def test_what_a_self_test_must_not_do_it_cannot(
    monkeypatch: pytest.MonkeyPatch, child: ChildSelfTest, attempt: str, told: str
) -> None:
    monkeypatch.setenv("FLEETLOOP_SECRET", "hidden")
    run_instead(monkeypatch, TRIES.format(attempt=attempt))
    with Path(__file__).open() as kept_open:  # what the agent has open, the child has not
        assert kept_open.fileno() > 2
        child.start(MANIFEST, ARTIFACT)
        finding = waited(child)
    assert not finding.passed
    assert told in finding.text


def test_the_limit_leaves_room_for_what_is_only_reserved() -> None:
    assert selftest_child.SLACK_BYTES > 100_000_000


def test_the_host_says_how_much_this_process_holds() -> None:
    held = RealHost().rss_bytes()
    assert 10_000_000 < held < 10_000_000_000


def test_the_clock_is_read_for_latency_only() -> None:
    clock: Clock = StandingClock()
    before = clock.monotonic()
    examine(MANIFEST, ARTIFACT, OrtRuntime(), clock, SmallHost())
    assert clock.monotonic() == before


def test_a_child_that_cannot_be_started_is_no_fault_of_the_model(
    child: ChildSelfTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = tiny_model()

    def no_memory(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    with monkeypatch.context() as patch:
        patch.setattr("fleetloop_agent.device.selftest.subprocess.Popen", no_memory)
        with pytest.raises(DiskFullError, match="free some memory"):
            child.start(manifest_of(artifact, 1), artifact)
    child.start(manifest_of(artifact, 1), artifact)
    assert waited(child).passed
