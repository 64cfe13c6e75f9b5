"""Looks at a process's system calls, and kills it at one of them: a debugger's way, no hook."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

STEPS = ("rename", "fsync", "fdatasync", "unlink")
"""What moves a durable thing from one state to the next; a kill comes before the call is done."""

_END_S = 5.0
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)\) += +[^?]")
_UNFINISHED = re.compile(r"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += +[^?]")
_DESCRIPTOR = re.compile(r"^\d+<([^>]*)>")
_QUOTED = re.compile(r'"([^"]*)"')


class Call(NamedTuple):
    """A system call that has returned.

    Attributes:
        thread: Who called.
        name: Its name.
        text: Its arguments, as strace writes them: descriptors with their paths.
        began: Where in the recording it was entered.
        ended: Where in the recording it returned.
    """

    thread: int
    name: str
    text: str
    began: int
    ended: int

    @property
    def path(self) -> str:
        """The file of a descriptor, or the first path that is named."""
        found = _DESCRIPTOR.match(self.text) or _QUOTED.search(self.text)
        return found[1] if found else ""

    @property
    def target(self) -> str:
        """The second path that is named."""
        return str([*_QUOTED.findall(self.text), "", ""][1])


def is_missing() -> bool:
    return shutil.which("strace") is None


def killing(name: str, nth: int) -> list[str]:
    """Runs a command whose main thread is killed with SIGKILL at its nth call of `name`.

    The traced process is the one that is started; strace steps aside (-D).
    """
    how = f"inject={name}:signal=SIGKILL:when={nth}"
    return [
        "strace",
        "-D",
        "-qqq",
        "--signal=none",
        "-o",
        "/dev/null",
        f"-etrace={name}",
        "-e",
        how,
    ]


@contextmanager
def killing_later(pid: int, name: str, nth: int) -> Iterator[None]:
    """Kills a process that runs as soon as one of its threads makes its nth call from now on."""
    how = ["-o", "/dev/null", f"-etrace={name}", "-e", f"inject={name}:signal=SIGKILL:when={nth}"]
    with _attached(pid, how):
        yield


@contextmanager
def failing(pid: int, names: str, error: str) -> Iterator[None]:
    """Lets calls of all threads of a process that runs fail with an error, such as EIO."""
    with _attached(
        pid, ["-o", "/dev/null", f"-etrace={names}", "-e", f"inject={names}:error={error}"]
    ):
        yield


@contextmanager
def recording_now(pid: int, file: Path, names: str) -> Iterator[None]:
    """Writes the calls that the threads of a process that runs make from now on into a file."""
    with _attached(pid, ["-y", "-o", str(file), f"-etrace={names}"]):
        yield


@contextmanager
def _attached(pid: int, how: list[str]) -> Iterator[None]:
    command = ["strace", "-f", *how, "-p", str(pid)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
        assert tracer.stderr is not None
        told = tracer.stderr.readline()
        assert b"attached" in told, told
        try:
            yield
        finally:
            tracer.terminate()
            try:
                tracer.wait(_END_S)
            except subprocess.TimeoutExpired:  # it waits for a thread that is half dead
                tracer.kill()


def recording(file: Path, names: str) -> list[str]:
    """Runs a command and writes the calls of all its threads into a file."""
    how = ["-D", "-f", "-y", "-qqq", "--seccomp-bpf", "--signal=none", "-s", "4096"]
    return ["strace", *how, f"-etrace={names}", "-o", str(file)]


def recorded(text: str) -> list[Call]:
    """The calls in a recording, in the order in which they returned."""
    entered: dict[tuple[str, str], tuple[str, int]] = {}
    calls = []
    for at, line in enumerate(text.splitlines()):
        if found := _UNFINISHED.match(line):
            entered[found[1], found[2]] = found[3], at
        elif found := _RESUMED.match(line):
            before, began = entered.pop((found[1], found[2]), ("", at))
            calls.append(Call(int(found[1]), found[2], before + found[3], began, at))
        elif found := _LINE.match(line):
            calls.append(Call(int(found[1]), found[2], found[3], at, at))
    return calls
