"""What a challenger has shown: sums, intervals that hold at any look, and the gate of a rollout."""

from random import Random

import msgspec
import pytest

from fleetloop_hub.monitoring.plausible_shadow import impossible
from fleetloop_hub.shadow_records import ShadowRun, ShadowState
from fleetloop_hub.shadowing.gate import Ready, rule
from fleetloop_hub.shadowing.mixture import bounds
from fleetloop_hub.shadowing.sums import KIND, Sums
from fleetloop_hub.shadowing.weighing import weigh
from fleetloop_hub.spec.shadow_table import ShadowTable
from fleetloop_hub.telemetry_records import StoredReport
from fleetloop_shared.latency import BINS
from fleetloop_shared.shadow_report import Labelled, ShadowCounts, ShadowReport

RUN = ShadowRun(
    key="rain-2-default-1",
    model="rain",
    version=2,
    champion=1,
    cohort="default",
    rows_share=0.5,
    answer_share=0.0,
    gated=True,
    state=ShadowState.OPEN,
    started_at=0.0,
)


def counts(rows: int = 100, agreed: int = 90, **changes: object) -> ShadowCounts:
    plain = ShadowCounts(
        model="rain",
        champion=1,
        challenger=2,
        artifact="a" * 64,
        rows=rows,
        agreed=agreed,
        answers=[[agreed, 0], [rows - agreed, 0]],
        differences=[],
        champion_scores=[rows, *[0] * 31],
        challenger_scores=[0, rows, *[0] * 30],
        labelled=Labelled(),
        latency_counts=[1, *[0] * (BINS - 1)],
        skipped={"full": 1},
    )
    return msgspec.structs.replace(plain, **changes)


def labelled(both: int, champion: int, challenger: int, neither: int = 0) -> ShadowCounts:
    told = Labelled(both=both, only_champion=champion, only_challenger=challenger, neither=neither)
    return counts(10_000, 9_500, labelled=told)


def stored(device: str, seq: int, told: ShadowCounts) -> StoredReport:
    report = ShadowReport(device=device, boot=1, seq=seq, at=0.0, counts=told)
    return StoredReport(KIND, report, float(seq))


def test_reports_add_up_by_hardware_once_each_and_only_those_of_this_shadow() -> None:
    sums = Sums(RUN)
    told = [
        stored("a", 1, counts()),
        stored("a", 1, counts()),
        stored("a", 2, counts(50, 50)),
        stored("b", 1, counts(10, 0)),
        stored("stranger", 1, counts()),
        stored("a", 3, counts(challenger=3)),
        stored("a", 4, counts(answers=[[100]])),
    ]
    for order in (told[:4], told):
        sums.take(order, {"a": "pi3", "b": "pi4"})
    assert {k: c.rows for k, c in sums.by_hardware.items()} == {"pi3": 150, "pi4": 10}
    total = sums.total
    assert total is not None
    assert (total.rows, total.agreed, total.skipped) == (160, 140, {"full": 3})
    assert impossible(total) is None, "sums are such counts as well"
    assert sums.unlike == 1
    assert sums.devices == {"a", "b"}


def test_bounds_hold_at_every_look_together() -> None:
    draw, missed, runs = Random(7), 0, 60
    for _ in range(runs):
        hits, ever = 0, False
        for row in range(1, 401):
            hits += draw.random() < 0.9
            if row % 20 == 0:
                low, high = bounds(hits, row - hits, 0.1)
                ever |= not low <= 0.9 <= high
        missed += ever
    assert missed <= 0.1 * runs


def test_who_is_better_is_told_by_the_rows_on_which_one_is_right() -> None:
    better = weigh(labelled(5_000, 50, 250, 100), 0.95)
    assert better.points == pytest.approx(100 * 200 / 5_400)
    assert 0 < better.points_low < (better.points or 0) < better.points_high
    same = weigh(labelled(5_000, 100, 100), 0.95)
    assert same.points_low < 0 < same.points_high
    worse = weigh(labelled(5_000, 250, 50), 0.95)
    assert worse.points_high < 0


GATE = ShadowTable(rows=1_000, agreement=0.8, labels="better", most_hours=2.0)


@pytest.mark.parametrize(
    ("told", "changes", "hours", "ready"),
    [
        (labelled(500, 5, 60), {}, 1.0, Ready.OPEN),
        (counts(500, 490), {}, 1.0, Ready.WAIT),
        (counts(10_000, 5_000), {}, 0.1, Ready.REFUSE),
        (labelled(500, 60, 5), {}, 0.1, Ready.REFUSE),
        (labelled(500, 60, 5), {"labels": "none"}, 0.1, Ready.OPEN),
        (labelled(5_000, 10, 10), {"labels": "no worse"}, 0.1, Ready.OPEN),
        (labelled(50, 1, 1), {"labels": "no worse"}, 0.1, Ready.WAIT),
        (counts(), {}, 2.5, Ready.REFUSE),
        (counts(), {"then": "go on"}, 2.5, Ready.OPEN),
        (counts(10_000, 5_000), {"then": "go on"}, 2.5, Ready.REFUSE),
    ],
)
def test_the_gate(
    told: ShadowCounts, changes: dict[str, object], hours: float, ready: Ready
) -> None:
    table = msgspec.structs.replace(GATE, **changes)
    ruling = rule(weigh(told, table.confidence), table, hours * 3_600)
    assert ruling.ready is ready, ruling.text
    assert ruling.text


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": -1},
        {"agreed": 101},
        {"challenger": 1},
        {"champion_scores": [100]},
        {"answers": [[50, 0], [51, 0]]},
        {"answers": [[100], [0, 0]]},
        {"answers": []},
        {"differences": [5] * 20},
        {"latency_counts": [1]},
        {"skipped": {"because": 1}},
        {"answered_right": 1},
        {"labelled": Labelled(both=-1)},
    ],
)
def test_attack_counts_that_no_rows_have(changes: dict[str, object]) -> None:
    assert impossible(counts()) is None
    assert impossible(msgspec.structs.replace(counts(), **changes)) is not None
