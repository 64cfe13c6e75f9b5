"""What each broker account may publish and subscribe to, as MQTT filters that brokers enforce."""

from dataclasses import dataclass

from fleetloop_hub.broker_port import BrokerAccount
from fleetloop_hub.errors import BrokerError
from fleetloop_shared.ids import check_name
from fleetloop_shared.topics import ROOT, Topic

_EVERYTHING = f"{ROOT.partition('/')[0]}/#"

_WATCHED = [
    topic.every()
    for topic in (
        Topic.STATE,
        Topic.REPORTED,
        Topic.DRIFT,
        Topic.HEALTH,
        Topic.ALERT,
        Topic.HUB,
    )
]


@dataclass(frozen=True)
class Rights:
    """An account's rights.

    Attributes:
        publish: Filters of the topics it may write.
        subscribe: Filters of the topics it may read.
    """

    publish: list[str]
    subscribe: list[str]


def check_accounts(accounts: list[BrokerAccount]) -> None:
    """Refuse a list that nobody can mean; NATS takes one without users to need no passwords.

    Raises:
        BrokerError: It is empty, or a name stands in it twice.
    """
    names = {account.username for account in accounts}
    if not names or len(names) < len(accounts):
        raise BrokerError("broker accounts: give the hub's at least, and each name once")


def rights(account: BrokerAccount) -> Rights:
    """A device writes below its own `up` and reads what concerns it; the hub may do everything.

    A label source writes labels and reads what has become of them. Home Assistant reads how devices
    are and what it is told of them, and writes that it is there.

    Raises:
        InvalidIdError: A name that could widen a filter.
    """
    device = check_name(account.username, "broker account")
    if account.labels_only:
        return Rights(
            publish=[Topic.SOURCE_LABELS.at(source=device)],
            subscribe=[Topic.SOURCE_RECEIPT.at(source=device)],
        )
    if account.watches:
        return Rights(
            publish=[f"{prefix}/status" for prefix in account.prefixes],
            subscribe=[*(f"{prefix}/#" for prefix in account.prefixes), *_WATCHED],
        )
    if account.cohort is None:
        configs = [f"{prefix}/device/+/config" for prefix in account.prefixes]
        return Rights(publish=[_EVERYTHING, *configs], subscribe=[_EVERYTHING])
    own = f"{ROOT}/devices/{device}"
    return Rights(
        publish=[f"{own}/up/#"],
        subscribe=[
            f"{own}/down/#",
            Topic.STATE.at(device=device),
            Topic.REPORTED.at(device=device),
            Topic.IMAGE.at(),
            Topic.DIRECTOR.at(cohort=check_name(account.cohort, "cohort")),
            Topic.BLOB.every(),
            Topic.HUB.at(),
        ],
    )
