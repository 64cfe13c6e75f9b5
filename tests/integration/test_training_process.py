"""The training process, for real: what it leaves, and what is made of it when something breaks."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from fleetloop_hub import child
from fleetloop_hub.child import Failure, Progress
from fleetloop_hub.records import RunState
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.training import job as files
from fleetloop_hub.training.job import Job, Result
from fleetloop_hub.training.process import TrainingProcess
from fleetloop_hub.training.run import train
from fleetloop_shared.ids import sha256_hex
from support.learnable import SPEC, job, silent, toy_dataset

pytestmark = pytest.mark.integration

_LONG_S = 60.0


@pytest.fixture
def toy(tmp_path: Path) -> Job:
    blobs = FileBlobs(tmp_path / "blobs")
    return job(SPEC, toy_dataset(blobs, tmp_path), blobs)


@pytest.fixture
def process(tmp_path: Path) -> Iterator[TrainingProcess]:
    made = TrainingProcess(tmp_path / "run-1")
    yield made
    made.cancel()


def until_ended(process: TrainingProcess) -> Result | Failure:
    found: list[Result | Failure] = []

    def ended() -> bool:
        state = process.poll()
        if not isinstance(state, Progress):
            found.append(state)
        return bool(found)

    wait_for(ended)
    return found[0]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _LONG_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


def failure_of(process: TrainingProcess) -> str:
    state = until_ended(process)
    assert isinstance(state, Failure)
    return state.text


def test_process_makes_what_the_same_job_makes_here_politely(
    process: TrainingProcess, toy: Job, tmp_path: Path
) -> None:
    process.start(toy)
    assert isinstance(process.poll(), Progress)
    assert process._child.process is not None
    assert os.getpriority(os.PRIO_PROCESS, process._child.process.pid) == 10
    result = until_ended(process)
    assert isinstance(result, Result)
    here = train(toy, silent)
    artifact = (tmp_path / "run-1" / files.ARTIFACT).read_bytes()
    assert artifact == here.artifact
    assert sha256_hex(artifact) == result.manifest.sha256
    assert (tmp_path / "run-1" / files.ENCODED).read_bytes() == here.encoded
    assert result.run.state is RunState.FINISHED

    for file in (files.ARTIFACT, files.ENCODED):
        path = tmp_path / "run-1" / file
        whole = path.read_bytes()
        path.write_bytes(whole[:-1])
        assert "is not what the result names" in failure_of(process)
        path.write_bytes(whole)
    for garbage in (b"", b"{}", b"[" * 100_000, b"\xff\x00", b'{"run": 3}'):
        (tmp_path / "run-1" / child.RESULT).write_bytes(garbage)
        assert "is damaged" in failure_of(process)
    (tmp_path / "run-1" / child.RESULT).unlink()
    assert "left no result.json" in failure_of(process)


def test_job_that_cannot_be_done_leaves_the_reason(process: TrainingProcess, toy: Job) -> None:
    process.start(msgspec.structs.replace(toy, dataset="0" * 64))
    assert "is not 000000000000" in failure_of(process)


def test_cancelled_run_is_gone_at_once_and_gives_nothing(
    process: TrainingProcess, toy: Job
) -> None:
    process.start(toy)
    assert process._child.process is not None
    process.cancel()
    assert process._child.process.returncode == -signal.SIGKILL
    assert "was cancelled; train again" in failure_of(process)


def test_killed_process_is_told_with_its_last_words(
    process: TrainingProcess, toy: Job, tmp_path: Path
) -> None:
    process.start(toy)
    assert process._child.process is not None
    (tmp_path / "run-1" / child.LOG).write_bytes(b"out of memory \xff")
    process._child.process.kill()
    text = failure_of(process)
    assert "ended with code -9 and left no result.json; train again" in text
    assert "out of memory" in text


def test_garbage_in_the_folder_never_stops_the_watching(
    process: TrainingProcess, toy: Job, tmp_path: Path
) -> None:
    folder = tmp_path / "run-1"
    folder.mkdir()
    (folder / child.FAILURE).write_bytes(b"an older run")
    process.start(toy)
    good = msgspec.json.encode(Progress(share=0.5, text="half"))
    (folder / child.PROGRESS).write_bytes(b"\xff\n" + good + b"\n[[[\n" + good[:-4])
    state = process.poll()
    assert isinstance(state, Progress)
    assert state.text == "half"
    assert process._child.process is not None
    process._child.process.kill()
    (folder / child.FAILURE).write_bytes(b"\xff")
    assert "is damaged" in failure_of(process)


def test_garbage_as_the_job_is_told(tmp_path: Path) -> None:
    (tmp_path / child.JOB).write_bytes(b"\xffno job")
    command = [sys.executable, "-m", "fleetloop_hub.training", str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as ended:
        ended.wait(_LONG_S)
    failure = msgspec.json.decode((tmp_path / child.FAILURE).read_bytes(), type=Failure)
    assert "job.json" in failure.text


def test_run_that_was_never_started_is_a_failure(tmp_path: Path) -> None:
    assert "never started" in failure_of(TrainingProcess(tmp_path))


def test_training_does_not_outlive_a_hub_that_was_killed(tmp_path: Path) -> None:
    """The hub dies before the job's file is read: a pipe in its place keeps the child waiting."""
    os.mkfifo(tmp_path / "dataset")
    hub = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from fleetloop_hub.training.job import Job\n"
        "from fleetloop_hub.training.process import TrainingProcess\n"
        "p = TrainingProcess(Path(sys.argv[1]) / 'run')\n"
        "p.start(Job(run='r', spec=sys.argv[2], version=1, floor=0, dataset='0' * 64,\n"
        "    dataset_path=sys.argv[1] + '/dataset', code='', reason=''))\n"
        "print(p._child.process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    command = [sys.executable, "-c", hub, str(tmp_path), SPEC]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        progress = tmp_path / "run" / child.PROGRESS
        wait_for(lambda: progress.exists() and b"reading" in progress.read_bytes())
        parent.kill()
    wait_for(lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    """Whether a process is there and not just a memory that nobody has collected yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
