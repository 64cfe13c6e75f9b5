"""Fairness in the field: the gate's measures and limits on sums that devices send."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console

from fleetloop_hub.errors import ImplausibleError
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.monitoring import plausible
from fleetloop_hub.monitoring.fairness_reader import FairnessReader
from fleetloop_hub.monitoring.field_fairness import (
    FieldFairness,
    FieldVerdict,
    difference,
    judge,
    ratio,
)
from fleetloop_hub.packaging.field_groups import field_groups
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.tables.fairness import fairness_story
from fleetloop_hub.validation.shares import wilson
from fleetloop_hub.version_parts import Rate
from fleetloop_shared.codec import encode
from fleetloop_shared.groups import GroupColumn, GroupCounts, GroupLimits
from fleetloop_shared.reports import HealthReport
from support.examples import MANIFEST, MESSAGES
from support.hubrecords import a_version
from support.hubweb import WebHub, show_up, web_hub
from support.learnable import SPEC

COLUMN = GroupColumn(column="sex", place=0, names=["f", "m"], values=[0.0, 1.0])
[HEALTH] = [m for m in MESSAGES if isinstance(m, HealthReport)]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        yield hub


def counts(group: str, rows: int, yes: int, **more: int) -> GroupCounts:
    return GroupCounts(column="sex", group=group, rows=rows, yes=yes, **more)


def verdicts(view: FieldFairness) -> dict[str, FieldVerdict]:
    return {one.gap.measure: one.verdict for one in view.gaps}


def looked(limits: GroupLimits, *sums: GroupCounts) -> FieldFairness:
    return judge(a_version(1), limits, list(sums), devices=3)


@pytest.mark.parametrize(
    ("yes", "verdict"),
    [(500, FieldVerdict.WITHIN), (420, FieldVerdict.BEYOND), (300, FieldVerdict.BROKEN)],
)
def test_a_limit_is_broken_once_the_whole_interval_is_beyond_it(
    yes: int, verdict: FieldVerdict
) -> None:
    limits = GroupLimits(columns=[COLUMN], selection_gap=0.05, selection_ratio=0.9)
    view = looked(limits, counts("f", 1_000, yes), counts("m", 1_000, 500))
    assert verdicts(view)["selection gap"] is verdict
    assert view.alarm is (verdict is FieldVerdict.BROKEN)
    (gap, *_) = [one.gap for one in view.gaps]
    if verdict is not FieldVerdict.WITHIN:
        assert (gap.lowest, gap.highest) == ("f", "m")
        assert gap.value == pytest.approx(0.5 - yes / 1_000)


def test_labelled_rates_are_judged_on_labelled_rows_only() -> None:
    limits = GroupLimits(columns=[COLUMN], true_positive_gap=0.1, group_rows=50)
    many = {"positive": 200, "negative": 100, "negative_yes": 5}
    f = counts("f", 900, 300, positive_yes=60, **many)
    m = counts("m", 900, 300, positive_yes=180, **many)
    found = verdicts(looked(limits, f, m))
    assert found["true positive gap"] is FieldVerdict.BROKEN
    assert found["false positive gap"] is FieldVerdict.NO_LIMIT
    few = counts("f", 900, 300, positive=10, positive_yes=1)
    assert verdicts(looked(limits, few, m))["true positive gap"] is FieldVerdict.UNKNOWN


def test_a_small_group_is_shown_and_not_judged() -> None:
    limits = GroupLimits(columns=[COLUMN], selection_gap=0.1, group_rows=50)
    view = looked(limits, counts("f", 10, 0), counts("m", 900, 500))
    assert [(r.group, r.judged) for r in view.groups] == [("m", True), ("f", False)]
    assert verdicts(view)["selection gap"] is FieldVerdict.UNKNOWN


def test_the_interval_of_a_difference_covers_it_as_often_as_it_says() -> None:
    random, inside = np.random.default_rng(7), 0
    for _ in range(400):
        shares = []
        for truth, rows in ((0.3, 120), (0.45, 90)):
            part = int(random.binomial(rows, truth))
            low, high = wilson(part, rows)
            shares.append(Rate(value=part / rows, rows=rows, low=low, high=high))
        _, low, high = difference(*shares)
        inside += low <= 0.15 <= high
    assert inside / 400 > 0.92


def test_a_ratio_of_nothing_is_one() -> None:
    nothing = Rate(value=0.0, rows=100, low=0.0, high=wilson(0, 100)[1])
    assert ratio(nothing, nothing)[0] == 1.0


def test_sums_of_devices_are_read_from_their_health_reports(
    hub: WebHub, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = GroupLimits(columns=[COLUMN], selection_gap=0.1)
    sha256 = hub.blobs.put(encode(msgspec.structs.replace(MANIFEST, groups=limits)))
    version = msgspec.structs.replace(a_version(1), manifest=sha256)
    hub.catalog.put(version)
    for seq, device in enumerate(("s1", "s2", "s1"), 1):
        told = msgspec.structs.replace(
            HEALTH,
            device=device,
            seq=seq,
            model=version.model,
            version=1,
            rows=400,
            groups=[counts("f", 200, 20), counts("m", 200, 120)],
        )
        other = msgspec.structs.replace(told, seq=seq + 10, version=9)
        hub.telemetry.store([("health", encode(r), r) for r in (told, other)])
    reader = FairnessReader(hub.telemetry, hub.blobs)
    reader.read(version)
    view = reader.read(version)
    assert reader.broken([version]) == [f"{version.model} v1"]
    assert (view.devices, view.alarm) == (2, True)
    assert [(r.group, r.rows) for r in view.groups] == [("f", 600), ("m", 600)]
    Console(width=140).print(fairness_story(view))
    said = capsys.readouterr().out
    assert "a limit is broken" in said
    assert "broken" in said
    client = hub.client()
    told_json = client.get(f"/api/v1/versions/{version.model}/1/fairness").json
    assert told_json is not None
    assert told_json["alarm"] is True
    show_up(hub.telemetry, "s1")
    enrolled = Device(key="s1", cohort="c", hardware="h", password="p" * 24, enrolled_at=0.0)
    hub.catalog.put(enrolled)
    overview = client.get("/api/v1/overview").json
    assert overview is not None
    assert "breaks a limit of fairness" in overview["health"]["text"]
    page = client.get(f"/fairness/{version.model}/1").text
    assert "a limit is broken" in page
    assert "10.0 %" in page


def test_a_version_without_groups_says_what_would_give_some(hub: WebHub) -> None:
    hub.catalog.put(a_version(1))
    view = FairnessReader(hub.telemetry, hub.blobs).read(a_version(1))
    assert "[fairness] in the spec must name a feature" in view.note
    page = hub.client().get(f"/fairness/{view.model}/1")
    assert page.status_code == 200


def test_devices_count_what_is_a_feature_with_few_values() -> None:
    spec = parse(SPEC + '\n[fairness]\ngroups = ["a", "b", "town"]\nselection_gap = 0.1\n')
    rows = np.column_stack([np.arange(100) / 7, np.arange(100) % 3]).astype(np.float32)
    found = field_groups(spec, rows)
    assert found is not None
    assert [(c.column, c.place, c.names, c.values) for c in found.columns] == [
        ("b", 1, ["0", "1", "2"], [0.0, 1.0, 2.0])
    ]
    assert found.selection_gap == 0.1
    assert field_groups(parse(SPEC), rows) is None


@pytest.mark.parametrize(
    "wrong",
    [
        counts("f", 10, 11),
        counts("f", -1, 0),
        counts("f", 65, 3),
        counts("f", 10, 3, positive=11, positive_yes=1),
        counts("f", 10, 3, positive=2, positive_yes=3),
    ],
)
def test_counts_of_groups_that_no_rows_have_are_refused(wrong: GroupCounts) -> None:
    plausible.check(msgspec.structs.replace(HEALTH, groups=[counts("f", 10, 3)]))
    with pytest.raises(ImplausibleError):
        plausible.check(msgspec.structs.replace(HEALTH, groups=[wrong]))
