"""A broker that runs already, wherever it is; its accounts are its owner's business."""

import logging
import secrets
import time

from fleetloop_hub.broker.probing import keeps_retained
from fleetloop_hub.broker_port import Broker, BrokerAccount
from fleetloop_hub.errors import BrokerError
from fleetloop_shared import endpoint
from fleetloop_shared.link import Connected, Disconnected
from fleetloop_shared.paho_link import MAX_PAYLOAD_BYTES, PahoLink

_REACH_S = 10.0

_log = logging.getLogger(__name__)


class ExternalBroker(Broker):
    """Somebody else's broker.

    Its owner gives the hub an account that may read and write below `fleetloop/`, and each device
    an account named after it.

    Args:
        url: `mqtt://user:password@host:port`, or `mqtts://…` for TLS.
        ca_file: PEM file that its certificate is checked against instead of the system's.

    Raises:
        AddressError: The URL is not one.
    """

    def __init__(self, url: str, ca_file: str | None = None) -> None:
        self._endpoint = endpoint.parse(url)
        self._ca_file = ca_file
        self._retains = True

    def start(self, accounts: list[BrokerAccount]) -> None:
        probe = self._make_probe()
        probe.start(None)
        try:
            self._wait_for(probe)
        finally:
            probe.stop()
        self._retains = keeps_retained(self._make_probe)
        if not self._retains:
            _log.warning(
                "the broker at %s keeps no retained messages: every device is sent its models by"
                " itself, which costs the hub as many times their size as there are devices",
                self.address,
            )

    def _make_probe(self) -> PahoLink:
        return PahoLink(
            self.address,
            f"fleetloop-probe-{secrets.token_hex(4)}",
            self._endpoint.username or "",
            self._endpoint.password or "",
            self._ca_file,
        )

    def _wait_for(self, probe: PahoLink) -> None:
        deadline = time.monotonic() + _REACH_S
        reason = "no answer"
        while time.monotonic() < deadline:
            probe.wait(0.1)
            for event in probe.events():
                if isinstance(event, Connected):
                    return
                if isinstance(event, Disconnected):
                    reason = event.reason
                    deadline = 0.0
        raise BrokerError(
            f"the broker at {self.address} cannot be used ({reason}): check the address, the user "
            "and the password in mqtt://user:password@host:port, and that it runs"
        )

    def admit(self, accounts: list[BrokerAccount]) -> None:
        """Nothing: its owner admits."""

    def hub_account(self, own: BrokerAccount) -> BrokerAccount:
        return BrokerAccount(
            username=self._endpoint.username or "",
            password=self._endpoint.password or "",
            cohort=None,
        )

    @property
    def address(self) -> str:
        return self._endpoint.address

    @property
    def max_payload_bytes(self) -> int:
        return MAX_PAYLOAD_BYTES

    @property
    def retains(self) -> bool:
        return self._retains

    def check(self) -> None:
        """Nothing: its owner restarts it."""

    def stop(self) -> None:
        """Nothing: it is not ours to end."""
