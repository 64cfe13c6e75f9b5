"""Only pages that equal their files are given back, and whatever was there still works."""

import json
import subprocess
import sys

import pytest

from fleetloop_agent.device import start_pages
from fleetloop_agent.device.start_pages import SETTLE_S, StartPages, unchanged

SMAPS = """\
1000-3000 r-xp 00000000 fe:00 1 /usr/lib/code.so
Rss:                   8 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
3000-4000 r--p 00002000 fe:00 1 /usr/lib/relocated.so
Anonymous:             4 kB
4000-5000 rw-p 00003000 fe:00 1 /usr/lib/data.so
Anonymous:             0 kB
5000-6000 r--s 00000000 fe:00 2 /usr/lib/shared.so
Anonymous:             0 kB
6000-7000 r-xp 00000000 00:00 0 [vdso]
Anonymous:             0 kB
7000-8000 r--p 00000000 00:00 0
Anonymous:             0 kB
8000-9000 r--p 00000000 fe:00 3 /usr/lib/a name with blanks (deleted)
Anonymous:             0 kB
9000-a000 ---p 00000000 fe:00 3 /usr/lib/gap.so
Anonymous:             0 kB
"""

CHILD = """
import json, sys
import numpy as np
import onnxruntime
from fleetloop_agent.device.host import RealHost
from fleetloop_agent.device.start_pages import give_back
values = np.arange(1000.0)
before = RealHost().rss_bytes()
count = give_back()
after = RealHost().rss_bytes()
print(json.dumps([count, before, after, float(np.linalg.norm(values)), onnxruntime.__version__]))
"""


def test_only_read_only_private_mappings_that_equal_their_files_are_given_back() -> None:
    assert list(unchanged(SMAPS.splitlines())) == [(0x1000, 0x2000), (0x8000, 0x1000)]


@pytest.mark.skipif(sys.platform != "linux", reason="smaps is Linux's")
def test_a_process_is_smaller_and_goes_on() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    count, before, after, norm, _ = json.loads(done.stdout)
    assert count > 5
    assert before - after > 10 * 2**20
    assert norm == pytest.approx(18243.725)


def test_it_is_done_once_a_while_after_each_change_of_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[float] = []
    now = 0.0
    monkeypatch.setattr(start_pages, "give_back", lambda: given.append(now))
    pages, one, two = StartPages(), object(), object()
    for now, loaded in [(100.0, None), (100.5, one), (101.2, one), (101.5, one), (110.0, one)]:
        pages.step(loaded, now)
    assert given == [100.5 + SETTLE_S]
    for now, loaded in [(200.0, two), (201.0, two), (202.0, two)]:
        pages.step(loaded, now)
    assert given == [101.5, 201.0]


def test_a_system_that_does_not_say_keeps_its_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_pages, "_SMAPS", start_pages._SMAPS.with_name("nothing"))
    assert start_pages.give_back() == 0
