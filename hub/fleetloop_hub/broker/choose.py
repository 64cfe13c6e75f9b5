"""From what `--broker` says to a broker."""

from pathlib import Path

from fleetloop_hub.broker.external import ExternalBroker
from fleetloop_hub.broker.mosquitto import MosquittoBroker
from fleetloop_hub.broker.nats import NatsBroker
from fleetloop_hub.broker_port import Broker
from fleetloop_hub.errors import BrokerError
from fleetloop_shared.errors import AddressError


def choose_broker(
    text: str, state_dir: Path, host: str = "127.0.0.1", port: int = 0, ca_file: str | None = None
) -> Broker:
    """The broker that `text` names, not started yet.

    Args:
        text: `nats`, `mosquitto`, or `mqtt(s)://user:password@host:port` of one that runs.
        state_dir: A folder that a broker of our own has to itself.
        host: Address on which a broker of our own listens.
        port: Port of the same; 0 chooses a free one and keeps to it.
        ca_file: PEM file for an `mqtts://` broker whose certificate the system does not know.

    Raises:
        BrokerError: It names none.
    """
    if text == "nats":
        return NatsBroker(state_dir, host, port)
    if text == "mosquitto":
        return MosquittoBroker(state_dir, host, port)
    try:
        return ExternalBroker(text, ca_file)
    except AddressError as error:
        raise BrokerError(f"no such broker: {error}; or write nats or mosquitto") from error
