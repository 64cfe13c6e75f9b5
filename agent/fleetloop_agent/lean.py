"""Keeps the daemon small: imported before anything that imports numpy, and by nobody else.

A program that uses the agent as a library sets what it likes for itself.
"""

import contextlib
import ctypes
import os

_M_ARENA_MAX = -8
"""mallopt(3): with one arena a device, memory that one thread gives back another one uses."""

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy loads it; a thread a core else
with contextlib.suppress(AttributeError, OSError):  # no glibc here
    ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
