"""Tries a foreign file in a process of its own, with limits, before this one ever loads it."""

import subprocess
import sys

import msgspec
import numpy as np
import numpy.typing as npt

from fleetloop_hub.errors import ModelFileError
from fleetloop_hub.packaging.foreign_form import Ask
from fleetloop_hub.packaging.foreign_reading import LARGEST_BYTES
from fleetloop_hub.spec.scalars import Task

Rows = npt.NDArray[np.float32]

LENGTH_BYTES = 8
_ROWS = 16
_COMMAND = [sys.executable, "-P", "-m", "fleetloop_hub.packaging.foreign_trial_child"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What trying a file may cost.

    Attributes:
        wall_s: Seconds it may take.
        cpu_s: Whole seconds of processor time.
        memory_bytes: Address space beyond what an empty ONNX Runtime has.
    """

    wall_s: float = 60.0
    cpu_s: int = 45
    memory_bytes: int = 1_073_741_824


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the child is told; the rows and the file follow.

    Attributes:
        features: How many values a row has.
        task: What the model does.
        input: The input's name, if a person has said it.
        output: The output's name, if a person has said it.
        rows: How many rows follow.
        limits: What it may cost.
    """

    features: int
    task: Task
    input: str | None
    output: str | None
    rows: int
    limits: Limits


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the child says about a file.

    Attributes:
        refused: Why it is not taken; empty if it is.
        producer: What wrote it.
        opset: What it is written for, in words.
        columns: How many numbers it answers to a row.
    """

    refused: str = ""
    producer: str = ""
    opset: str = ""
    columns: int = 0


def try_out(data: bytes, ask: Ask, rows: Rows | None = None, limits: Limits | None = None) -> Found:
    """Read a file and run it in a child process; nothing of it is kept.

    It is asked the same rows together, one by one, and once more; and the file itself is asked
    beside the graph that is made of it. All must agree.

    Args:
        data: The file.
        ask: What is looked for in it.
        rows: Real rows of `ask.features` values without missing ones; by default random ones from
            0 to 1, which as whole numbers are the first place of every category.
        limits: What that may cost.

    Raises:
        ModelFileError: It is not taken; the text says what was found and what to do.
    """
    if len(data) > LARGEST_BYTES:
        raise ModelFileError(
            f"the file has {len(data):,} bytes, more than the {LARGEST_BYTES:,} that are looked "
            "at: export a smaller model"
        )
    asked = np.random.default_rng(0).random((_ROWS, ask.features)) if rows is None else rows
    question = Question(
        features=ask.features,
        task=ask.task,
        input=ask.input,
        output=ask.output,
        rows=len(asked),
        limits=limits or Limits(),
    )
    head = msgspec.json.encode(question)
    body = np.ascontiguousarray(asked, np.float32).tobytes()
    found = _ask(len(head).to_bytes(LENGTH_BYTES, "big") + head + body + data, question.limits)
    if found.refused:
        raise ModelFileError(found.refused)
    return found


def _ask(told: bytes, limits: Limits) -> Found:
    try:
        child = subprocess.run(  # noqa: PLW1510  # how it ended is looked at below
            _COMMAND, input=told, capture_output=True, timeout=limits.wall_s, cwd="/"
        )
    except subprocess.TimeoutExpired:
        return Found(refused=_too_long(f"{limits.wall_s:g} s"))
    try:
        return msgspec.json.decode(child.stdout, type=Found)
    except msgspec.MsgspecError:
        return Found(refused=_ending(child, limits))


def _ending(child: subprocess.CompletedProcess[bytes], limits: Limits) -> str:
    if -child.returncode in _OUT_OF_TIME:
        return _too_long(f"{limits.cpu_s} s of processor time")
    last = child.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:300]
    how = f"signal {-child.returncode}" if child.returncode < 0 else f"code {child.returncode}"
    return (
        f"the process that tried the file ended with {how} ({last or 'no word'}): it may need more "
        f"than {limits.memory_bytes // 2**20:,} MiB, or be damaged; export a smaller model"
    )


def _too_long(how_long: str) -> str:
    return f"the file was not read and run within {how_long}: export a smaller model"


_OUT_OF_TIME = frozenset({9, 24})
"""SIGKILL and SIGXCPU, which follow on too much processor time."""
