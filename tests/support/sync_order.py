"""Sees in a recording of system calls whether what was promised was synced, and in time."""

import re
from collections.abc import Iterator
from pathlib import Path

from support.strace import Call

CALLS = "openat,rename,fsync,fdatasync,unlink,pwrite64,sendto"
"""What a recording must have."""

_REPORT = re.compile(r'\{\\"schema\\":\d+,\\"device\\":[^{]*?\\"boot\\":\d+,\\"seq\\":\d+,')


def unsynced_names(calls: list[Call], state: str) -> Iterator[str]:
    """Renames over bytes that were not synced before, or into folders not synced right after."""
    for call in calls:
        if call.name != "rename" or not call.path.startswith(state):
            continue
        before = [c for c in calls if c.path == call.path and c.ended < call.began]
        if [c.name for c in before if c.name in {"pwrite64", "fsync"}][-1:] != ["fsync"]:
            yield f"{call.path} was renamed before it was synced"
        next_ = next((c for c in calls if c.thread == call.thread and c.began > call.ended), None)
        folder = str(Path(call.target).parent)
        if next_ is None or (next_.name, next_.path) not in {("fsync", folder), ("openat", folder)}:
            yield f"{folder} was not synced at once after {call.target}"
        elif ("fsync", folder) not in {(c.name, c.path) for c in calls if c.began > call.ended}:
            yield f"{folder} was not synced after {call.target}"


def early_bitmaps(calls: list[Call], state: str) -> Iterator[str]:
    """Bitmaps written before the chunks that they name were synced."""
    for call in calls:
        if call.name != "pwrite64" or not call.path.endswith(".bitmap"):
            continue
        data = call.path.removesuffix("bitmap") + "data"
        before = [c.name for c in calls if c.path == data and c.ended < call.began]
        if [n for n in before if n in {"pwrite64", "fsync"}][-1:] != ["fsync"]:
            yield f"{call.path} was written before its chunks were synced"


def early_loads(calls: list[Call], state: str, artifact: str) -> Iterator[str]:
    """Loads of a model on trial before its attempt was counted durably."""
    armed, counted = (
        next((c for c in calls if _is_trial(c, attempts)), None) for attempts in (3, 2)
    )
    if armed is None or counted is None:
        yield "no trial was armed, or none was counted"
        return
    folder = f"{state}/journal"
    synced = [c for c in calls if (c.name, c.path) == ("fsync", folder) and c.began > counted.ended]
    opened = [
        c
        for c in calls
        if c.name == "openat" and c.path.endswith(f"{artifact}.onnx") and c.began > armed.ended
    ]
    if not synced or not opened:
        yield "the attempt was not synced, or the model was not opened"
    elif opened[0].began < synced[0].ended:
        yield "the model was opened before its attempt was durable"


def early_reports(calls: list[Call], state: str, since: int) -> Iterator[str]:
    """Reports that were sent before the outbox had them durably; those of `since` boot or later."""
    log = f"{state}/outbox.db-wal"
    for call in calls:
        if call.name != "sendto":
            continue
        for report in _REPORT.findall(call.text):
            kept = [c for c in calls if c.name == "pwrite64" and c.path == log and report in c.text]
            boot = re.search(r'boot\\":(\d+)', report)
            if boot is None or int(boot[1]) < since:
                continue
            if not any(
                c.name == "fdatasync"
                and c.path == log
                and k.ended < c.began
                and c.ended < call.began
                for c in calls
                for k in kept[:1]
            ):
                yield f"{report} was sent before it was durable"


def sent_reports(calls: list[Call]) -> int:
    """How many reports are seen on their way."""
    return sum(len(_REPORT.findall(call.text)) for call in calls if call.name == "sendto")


def _is_trial(call: Call, attempts_left: int) -> bool:
    return (
        call.name == "pwrite64"
        and "/journal/" in call.path
        and r"\"state\":\"trial\"" in call.text
        and rf"\"attempts_left\":{attempts_left}," in call.text
    )
