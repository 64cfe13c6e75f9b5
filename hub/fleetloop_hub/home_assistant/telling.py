"""Says retained what Home Assistant is to know, and clears it where it is not wanted any more.

It is stepped by the hub, which owns the link: a step costs a look at a counter if nothing changed.
"""

import secrets
from collections.abc import Callable
from importlib import metadata

import msgspec

from fleetloop_hub.fleet_records import Device, Discovery
from fleetloop_hub.home_assistant.discovery import config_of, topic_of
from fleetloop_hub.ports import Catalog
from fleetloop_shared.codec import encode

MOST_AT_ONCE = 50
"""Messages said in one step."""

MOST_FORMER = 4
"""Prefixes that are remembered until they are cleared."""

Say = Callable[[str, bytes], bool]
"""Hands a retained message over (topic, payload); False if that was not possible now."""


def switch(catalog: Catalog, prefix: str, url: str) -> None:
    """Note below which prefix Home Assistant is told from now on, before accounts are made.

    Args:
        catalog: Where it is kept.
        prefix: "" for nowhere; what was told is then cleared.
        url: Where the console is for people, "" if nobody has said.
    """

    def change(found: Discovery | None) -> Discovery:
        known = found or Discovery(key=Discovery.KEY, password=secrets.token_urlsafe(24))
        former = {*known.former, known.prefix} - {"", prefix}
        return msgspec.structs.replace(
            known, prefix=prefix, url=url, former=sorted(former)[:MOST_FORMER]
        )

    if prefix or catalog.find(Discovery, Discovery.KEY) is not None:
        catalog.update(Discovery, Discovery.KEY, change)


class HomeAssistant:
    """What was said on this connection; for one thread at a time."""

    def __init__(self, catalog: Catalog) -> None:
        """Nothing was said yet."""
        self._catalog = catalog
        self._said: dict[str, bytes] = {}
        self._revision: int | None = None
        self._version = metadata.version("fleetloop-hub")

    def again(self) -> None:
        """The broker may have lost what was said."""
        self._said = {}
        self._revision = None

    def pump(self, say: Say, backlog_bytes: int) -> None:
        """Say what has changed; what cannot be said now is said by a later call.

        Args:
            say: Hands a message over.
            backlog_bytes: What was handed over and is not with the broker yet: a former prefix is
                forgotten only once all has arrived.
        """
        revision = self._catalog.revision(Device, Discovery)
        if revision == self._revision:
            return
        found = self._catalog.find(Discovery, Discovery.KEY)
        wanted = {} if found is None else self._wanted(found)
        gone = dict.fromkeys(self._said.keys() - wanted.keys(), b"")
        due = [(t, p) for t, p in {**gone, **wanted}.items() if self._said.get(t) != p]
        for topic, payload in due[:MOST_AT_ONCE]:
            if not say(topic, payload):
                return
            self._said[topic] = payload
        if due:
            return
        if found is not None and found.former:
            if not backlog_bytes:
                self._catalog.put(msgspec.structs.replace(found, former=[]))
            return
        self._revision = revision

    def _wanted(self, found: Discovery) -> dict[str, bytes]:
        devices = self._catalog.all(Device)
        wanted = {topic_of(former, d.key): b"" for former in found.former for d in devices}
        if found.prefix:
            for device in devices:
                told = config_of(device, found.url, self._version)
                wanted[topic_of(found.prefix, device.key)] = encode(told)
        return wanted
