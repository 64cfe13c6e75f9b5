"""The daemon's process: few threads, and no library that it never uses."""

import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from fleetloop_agent.trust import tuf_client
from fleetloop_agent.version import VERSION

CHILD = """
import json, os, sys
import fleetloop_agent.__main__
tasks = len(os.listdir("/proc/self/task"))
print(json.dumps([tasks, os.environ["OPENBLAS_NUM_THREADS"], sorted(sys.modules)]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_the_daemon_starts_no_thread_of_blas_and_imports_no_http_library() -> None:
    told = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], capture_output=True, text=True, check=True, env=told
    )
    tasks, threads, modules = json.loads(done.stdout)
    assert threads == "1"
    assert tasks <= 2, "one of them is ONNX Runtime's"
    assert not {"urllib3", "importlib.metadata", "zipfile", "psutil", "csv", "statistics"} & set(
        modules
    )


def test_the_version_is_that_of_the_package() -> None:
    assert version("fleetloop-agent") == VERSION


def test_who_wants_the_default_fetcher_of_the_client_gets_it() -> None:
    from tuf.ngclient.urllib3_fetcher import Urllib3Fetcher  # noqa: PLC0415  # imports urllib3

    assert isinstance(tuf_client._DefaultFetcher(), Urllib3Fetcher)
