"""What a run's record says about the code that made it."""

import os
import re
from importlib.metadata import version

import pytest

from fleetloop_hub.tracking.environment import code_version, libraries


def test_libraries_are_those_that_are_installed() -> None:
    assert libraries()["onnxruntime"] == version("onnxruntime")
    assert re.fullmatch(r"3\.\d+\.\d+\S*", libraries()["python"])


def test_code_version_names_the_revision_in_a_clone_and_needs_no_git(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = version("fleetloop-hub")
    assert re.fullmatch(re.escape(released) + r"(\+[0-9a-z._-]+)?", code_version())
    monkeypatch.setitem(os.environ, "PATH", "")
    assert code_version() == released
