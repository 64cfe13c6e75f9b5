"""A challenger beside the champion in the real agent process, at a real broker."""

import secrets
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec
import pytest

from fleetloop_hub.broker_port import BrokerAccount
from fleetloop_shared.codec import decode
from fleetloop_shared.ids import bucket
from fleetloop_shared.messages import Shadow
from fleetloop_shared.shadow_report import ShadowReport
from fleetloop_shared.topics import Topic
from support.agent_process import DEVICE, AgentProcess, EnrolServer
from support.brokers import HUB, Links, start_broker
from support.hubside import COHORT, Hubside, Shipment

pytestmark = pytest.mark.integration

ACCOUNT = BrokerAccount(DEVICE, secrets.token_urlsafe(24), cohort=COHORT)
HUBSIDE = Hubside()
ONE, TWO = (HUBSIDE.ship(v, bias=bias) for v, bias in ((1, -0.5), (2, 0.5)))
ROW = {"temperature": 0.0, "pressure": 0.0}
SHADOW = Shadow(
    release=TWO.release,
    rows_share=1.0,
    most_delay_ms=100.0,
    cpu_share=1.0,
    answer_share=0.5,
    salt="s",
)


def test_it_scores_the_champions_rows_answers_its_keys_and_reports(tmp_path: Path) -> None:
    with ExitStack() as stack:
        broker = start_broker("nats", tmp_path / "broker", [HUB, ACCOUNT])
        stack.callback(broker.stop)
        links = Links()
        stack.callback(links.close)
        hub = links.to(broker, HUB)
        hub.link.subscribe(Topic.SHADOW.every())
        identity = msgspec.structs.replace(
            HUBSIDE.identity(DEVICE, broker=broker.address), password=ACCOUNT.password
        )
        server = stack.enter_context(closing(EnrolServer(identity)))
        folder = tmp_path / "device"
        folder.mkdir()
        report = "[report]\nhealth_interval_s = 0.5\n"
        agent = stack.enter_context(closing(AgentProcess(folder, server.url, server.token, report)))

        def publish(shipment: Shipment, sequence: int, **changes: object) -> None:
            desired = HUBSIDE.desire(sequence, ONE.release, soak_rows=0, **changes)
            blobs = {
                Topic.IMAGE.at(): HUBSIDE.listing([ONE, TWO], sequence),
                Topic.DIRECTOR.at(cohort=COHORT): HUBSIDE.direct(desired),
                **shipment.blobs,
            }
            for topic, payload in blobs.items():
                assert hub.link.publish(topic, payload, retained=True)

        publish(ONE, 1)
        agent.start()
        agent.until(lambda said: said["version"] == 1 and said["state"] == "serving", "version 1")
        publish(TWO, 2, shadow=SHADOW)
        agent.until(lambda said: said["challenger_text"] == "runs beside the champion", "version 2")

        answers = agent.predict([ROW] * 10)
        assert {answer["version"] for answer in answers} == {1}
        told = [(answer["prediction_id"], 1) for answer in answers[:4]]
        for key in ("a", "b", "c", "d", "e"):
            answered = agent.call("/predict", {"rows": [ROW], "key": key})["answers"]
            assert isinstance(answered, list)
            assert answered[0]["version"] == (2 if bucket(key, "s") < 5_000 else 1)

        def reports() -> list[ShadowReport]:
            payloads = hub.payloads(Topic.SHADOW.at(device=DEVICE))
            return [decode(payload, ShadowReport) for payload in payloads]

        hub.until(lambda: sum(r.counts.rows for r in reports()) >= 10, "the comparison")
        agent.call(
            "/feedback", {"labels": [{"prediction_id": i, "label": label} for i, label in told]}
        )
        hub.until(
            lambda: sum(r.counts.labelled.only_challenger for r in reports()) == 4, "the labels"
        )
        assert sum(r.counts.agreed for r in reports()) == 0, "one says 0 here, the other 1"
        split = sum(bucket(key, "s") < 5_000 for key in "abcde")
        hub.until(lambda: sum(r.counts.answered for r in reports()) == split, "the split")
        assert agent.stop() == 0
