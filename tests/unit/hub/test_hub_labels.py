"""The hub with a label source: an account of its own, and labels over the broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_firmware_sim.network import SimLink
from fleetloop_hub.errors import EnrolError
from fleetloop_hub.fleet_records import LabelSource
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.label_messages import LabelMessage, LabelReceipt
from fleetloop_shared.link import Received
from fleetloop_shared.messages import EnrolRequest
from fleetloop_shared.reports import Label
from support.hubrig import HubRig, hub_rig
from support.reports import sample, samples


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as rig:
        yield rig


def test_labels_of_a_source_reach_their_rows_and_it_gets_a_receipt(rig: HubRig) -> None:
    rig.device("s1")
    rig.kept.telemetry.store([samples(1, sample("s1.1.1"), device="s1")])
    account = rig.hub.label_source("bank")
    assert rig.hub.label_source("bank") == account, "asked again it is the same one"
    labels = [Label(prediction_id="s1.1.1", label=1, at=9.0)]
    link = SimLink(rig.broker, "bank")
    link.start(None)
    link.subscribe(account["receipts"])
    rig.look()
    link.publish(account["topic"], encode(LabelMessage(id="m", labels=labels)))
    rig.look()
    heard = [e.payload for e in link.events() if isinstance(e, Received)]
    (receipt,) = [decode(payload, LabelReceipt) for payload in heard]
    assert (receipt.id, receipt.joined) == ("m", 1)
    assert rig.kept.telemetry.labelled_count("rain") == (1, 1)


def test_a_label_source_and_a_device_do_not_share_a_name(rig: HubRig) -> None:
    rig.device("s1")
    with pytest.raises(EnrolError, match="a device is called 's1'"):
        rig.hub.label_source("s1")
    with pytest.raises(EnrolError, match="no label source may be called 'hub'"):
        rig.hub.label_source("hub")
    with pytest.raises(EnrolError, match="must be 1 to 64"):
        rig.hub.label_source("a/b")
    rig.hub.label_source("bank")
    assert [s.key for s in rig.kept.catalog.all(LabelSource)] == ["bank"]
    token = rig.hub.new_token("stations", 60.0).partition(".")[0]
    with pytest.raises(EnrolError, match="a label source is called 'bank'"):
        rig.hub.enrol(EnrolRequest(token=token, device="bank", hardware="x", agent="1"))
