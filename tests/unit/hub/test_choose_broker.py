"""What `--broker` may say, and what is answered to anything else."""

from pathlib import Path

import pytest

from fleetloop_hub.broker.choose import choose_broker
from fleetloop_hub.broker.external import ExternalBroker
from fleetloop_hub.broker.mosquitto import MosquittoBroker
from fleetloop_hub.broker.nats import NatsBroker
from fleetloop_hub.broker.rights import check_accounts, rights
from fleetloop_hub.broker_port import BrokerAccount
from fleetloop_hub.errors import BrokerError
from fleetloop_shared.errors import InvalidIdError


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("nats", NatsBroker),
        ("mosquitto", MosquittoBroker),
        ("mqtt://broker.example", ExternalBroker),
        ("mqtts://hub:secret@broker.example:8884", ExternalBroker),
    ],
)
def test_each_word_names_its_broker(text: str, kind: type, tmp_path: Path) -> None:
    assert type(choose_broker(text, tmp_path)) is kind


@pytest.mark.parametrize(
    "text", ["", "rabbit", "NATS", "http://broker", "mqtt://", "mqtt://a:b", "mqtt://a/topic"]
)
def test_anything_else_is_refused_with_what_to_write(text: str, tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"mqtt://host:port.*nats or mosquitto"):
        choose_broker(text, tmp_path)


def test_a_broker_that_was_not_started_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="start it first"):
        _ = NatsBroker(tmp_path).address


@pytest.mark.parametrize("name", ["+", "#", "a/b", "a.b", "*", ">", "x\ntopic readwrite #", ""])
def test_a_name_that_could_widen_a_right_gets_none(name: str) -> None:
    with pytest.raises(InvalidIdError):
        rights(BrokerAccount(name, "password", cohort="plains"))
    with pytest.raises(InvalidIdError):
        rights(BrokerAccount("station-1", "password", cohort=name))


def test_a_name_that_stands_twice_is_refused() -> None:
    account = BrokerAccount("station-1", "password", cohort="plains")
    with pytest.raises(BrokerError, match="each name once"):
        check_accounts([account, account])


def test_a_label_source_may_tell_labels_and_nothing_else() -> None:
    may = rights(BrokerAccount("bank", "password", None, labels_only=True))
    assert may.publish == ["fleetloop/v1/sources/bank/up/labels"]
    assert may.subscribe == ["fleetloop/v1/sources/bank/down/receipt"]
