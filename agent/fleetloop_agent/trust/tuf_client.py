"""The TUF client without the HTTP library it would fetch with: bundles come over MQTT.

`tuf.ngclient` imports urllib3 for its default fetcher, which is never made here; that costs a
device 2.5 MiB and 40 ms at every start. While the client is imported a stand-in has the fetcher's
place. Whoever makes the default fetcher after all, in the same process, gets the real one.
"""

import importlib
import sys
from types import ModuleType

_FETCHER = "tuf.ngclient.urllib3_fetcher"


class _DefaultFetcher:
    """In the place of the class; making one makes the real one."""

    def __new__(cls, *given: object, **named: object) -> object:  # type: ignore[misc]  # as said
        return importlib.import_module(_FETCHER).Urllib3Fetcher(*given, **named)


def _import_client() -> None:
    if "tuf.ngclient" in sys.modules:
        return  # somebody else has imported it whole
    stand_in = ModuleType(_FETCHER)
    stand_in.Urllib3Fetcher = _DefaultFetcher  # type: ignore[attr-defined]  # a module of our own
    sys.modules[_FETCHER] = stand_in
    try:
        importlib.import_module("tuf.ngclient")
    finally:
        del sys.modules[_FETCHER]


_import_client()

from tuf.ngclient import FetcherInterface, Updater, UpdaterConfig  # noqa: E402  # after the above

__all__ = ["FetcherInterface", "Updater", "UpdaterConfig"]
