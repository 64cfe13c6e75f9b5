"""The agent on a device: a model comes in, data goes through.

As a daemon: `fleetloop-agent run`. In an application's own process:

    from fleetloop_agent import embedded

    with embedded("agent.toml") as device:
        (answer,) = device.predict([{"wind": 3.0, "rain": 1.0}])
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetloop_agent.in_process import Device as Device
    from fleetloop_agent.in_process import embedded as embedded

__all__ = ["Device", "embedded"]


def __getattr__(name: str) -> object:
    """Load the library when it is asked for: a part of the agent does not need the whole."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("fleetloop_agent.in_process"), name)
