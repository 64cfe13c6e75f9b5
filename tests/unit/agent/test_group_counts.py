"""Groups of people counted on the device: who was answered yes, and who was so rightly."""

import msgspec
import numpy as np

from fleetloop_agent.serving.group_counts import GroupTally
from fleetloop_agent.serving.recent import RECENT_ANSWERS
from fleetloop_agent.serving.reports import Backlog, Reports
from fleetloop_shared.groups import GroupColumn, GroupCounts, GroupLimits
from fleetloop_shared.reports import HealthReport
from support import kinds
from support.agent_board import ConstantRuntime, SmallHost, StandingClock
from support.serving_rig import DEVICE, model, predictor

WIND = GroupColumn(column="wind", place=0, names=["calm", "gale"], values=[0.0, 4.5])
RAIN = GroupColumn(column="rain", place=1, names=["9", "1"], values=[9.0, 1.0])
LIMITS = GroupLimits(columns=[WIND, RAIN], selection_gap=0.1)


def rows(count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.choice([0.0, 4.5, 7.0, np.nan], (count, 1))
    rain = random.choice([9.0, 1.0], (count, 1))
    return np.hstack([values, rain]).astype(np.float32)


def by_hand(values: np.ndarray, labels: np.ndarray) -> dict[str, tuple[int, int]]:
    names = {0.0: "calm", 4.5: "gale", 7.0: "other"}
    groups = np.array([names.get(v, "") for v in values[:, 0].tolist()])
    return {
        name: (int((groups == name).sum()), int(((groups == name) & (labels == 1)).sum()))
        for name in ("calm", "gale", "other", "")
    }


def test_rows_one_by_one_and_many_at_a_time_count_alike_and_as_by_hand() -> None:
    values, labels = rows(500), np.random.default_rng(1).integers(0, 2, 500).astype(float)
    many, one = GroupTally(LIMITS, 1.0), GroupTally(LIMITS, 1.0)
    many.note_many(1, values, labels)
    for k, row in enumerate(values):
        one.note(k + 1, row.tobytes(), labels[k])
    for number in range(1, 501, 3):
        for tally in (many, one):
            tally.label(number, labels[number - 1], float(number % 2))
    found = many.take()
    assert found == one.take()
    wind = {c.group: (c.rows, c.yes) for c in found if c.column == "wind"}
    assert wind == by_hand(values, labels)
    labelled = sum(c.positive + c.negative for c in found if c.column == "rain")
    assert labelled == len(range(1, 501, 3))
    assert many.take() == []


def test_a_label_counts_for_the_group_of_its_row_and_for_what_was_answered() -> None:
    tally = GroupTally(LIMITS, 1.0)
    gale_nine = np.array([4.5, 9.0], np.float32)
    tally.note(5, gale_nine.tobytes(), 1.0)
    tally.label(5, 1.0, 0.0)
    assert tally.take() == [
        GroupCounts(column="wind", group="gale", rows=1, yes=1, negative=1, negative_yes=1),
        GroupCounts(column="rain", group="9", rows=1, yes=1, negative=1, negative_yes=1),
    ]


def test_more_rows_than_are_remembered_keep_the_newest() -> None:
    tally, count = GroupTally(LIMITS, 1.0), RECENT_ANSWERS + 10
    values = np.zeros((count, 2), np.float32)
    values[-1] = [4.5, 1.0]
    tally.note_many(1, values, np.ones(count))
    tally.take()
    tally.label(count, 1.0, 1.0)
    assert {c.group for c in tally.take()} == {"gale", "1"}


def test_counts_reach_the_health_report_and_begin_again_with_another_model() -> None:
    manifest, artifact = model()
    made = predictor(ConstantRuntime(), loaded=False)
    made.load(msgspec.structs.replace(manifest, groups=LIMITS), artifact)
    reports = Reports(DEVICE, StandingClock(), SmallHost())
    for _ in range(2):
        (answer,) = made.predict([{"wind": 0.0, "rain": 1.0}])
        made.predict(np.array([[4.5, 9.0], [0.0, 9.0]], np.float32))
        made.feedback([(answer.prediction_id, 1)])
        reports.of(made.collect(), made.manifest)
    _, build = reports.health(made.manifest, Backlog(0, 0, 0), None)
    report = build(1, 1)
    assert isinstance(report, HealthReport)
    counted = {(c.column, c.group): (c.rows, c.positive) for c in report.groups}
    assert counted == {
        ("wind", "calm"): (4, 2),
        ("wind", "gale"): (2, 0),
        ("rain", "9"): (4, 0),
        ("rain", "1"): (2, 2),
    }
    made.load(*model(version=2))
    reports.of(made.collect(), made.manifest)
    again = reports.health(made.manifest, Backlog(0, 0, 0), None)[1](1, 2)
    assert isinstance(again, HealthReport)
    assert again.groups == []


def test_a_model_without_yes_and_no_counts_no_groups() -> None:
    for kind in ("regression", "classes"):
        manifest = kinds.predictor(kind).manifest if kind == "regression" else model()[0]
        assert manifest is not None
        limits = None if kind == "classes" else LIMITS
        assert GroupTally.of(msgspec.structs.replace(manifest, groups=limits)) is None
