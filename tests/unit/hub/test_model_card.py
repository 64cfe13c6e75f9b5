"""The model card: everything a person must know is on it, and nothing on it can do anything."""

import dataclasses
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.packaging.card import html, markdown
from fleetloop_hub.packaging.card.build import Subject, build
from fleetloop_hub.records import Dataset, Model, Version, VersionState
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.version_parts import (
    Approval,
    CalibrationBin,
    Cost,
    Evidence,
    GroupGap,
    GroupRow,
    GroupThreshold,
    Rate,
    Saying,
    SliceRow,
)
from support.commands import Run as Command
from support.commands import listening_hub, runner
from support.hubrecords import START, a_decision, a_gate, a_run, a_version
from support.hubweb import WebHub
from support.learnable import SPEC

ATTACK = "<script>alert(1)</script> | [x](javascript:x) `rm`"


def _rate(value: float | None) -> Rate:
    return Rate(value=value, rows=100, low=0.1, high=0.9)


EVIDENCE = Evidence(
    slices=[
        SliceRow(
            column="place", name="south", rows=120, judged=True, value=0.71, low=0.6, high=0.8
        ),
        SliceRow(
            column="place", name="north", rows=3, judged=False, value=None, low=None, high=None
        ),
    ],
    groups=[
        GroupRow(
            column="DIS",
            group=group,
            rows=rows,
            judged=rows > 50,
            selection=_rate(0.5),
            true_positive=_rate(0.337),
            false_positive=_rate(None),
        )
        for group, rows in [("1", 1_054), ("", 7)]
    ],
    gaps=[
        GroupGap(
            column="DIS",
            measure="true positive gap",
            value=0.559,
            low=0.49,
            high=0.62,
            lowest="1",
            highest="2",
            limit=0.1,
        )
    ],
    thresholds=[GroupThreshold(column="DIS", value="1", threshold=0.173)],
    bins=[CalibrationBin(rows=20, score=0.3, share=0.35)],
    cost=Cost(load_ms=1.25, memory_bytes=2_000_000),
    notes=["Nobody labelled the night shift."],
)


def a_subject() -> Subject:
    version = replace(
        a_version(3),
        gates=[
            a_gate(),
            replace(a_gate("memory", passed=False), waived=True, text="too much memory"),
            replace(a_gate("noise"), judged=False, limit=None),
        ],
        evidence=EVIDENCE,
        approvals=[
            Approval(
                saying=Saying.WAIVE,
                by="ann",
                reason=ATTACK,
                at=START,
                gate="memory",
                audit="f" * 64,
            )
        ],
    )
    dataset = Dataset(
        key="d" * 64,
        model="rain",
        source="rain.csv",
        rows=1_234,
        positives=100,
        quarantined={"b is above 9": 7},
        parent=None,
        created_at=START,
        quarantined_rows=7,
    )
    return Subject(version, parse(SPEC), a_run(), dataset, a_decision())


@pytest.mark.parametrize("render", [markdown.render, html.render], ids=["markdown", "html"])
def test_a_card_says_all_that_is_known(render: object) -> None:
    text = render(build(a_subject()))  # type: ignore[operator]  # one of two functions
    plain = re.sub(r"<[^>]*>|\\", " ", text)
    for told in (
        "rain v3",
        "d" * 64,
        "1,234",
        "b is above 9",
        "Gates",
        "waived",
        "too much memory",
        "south",
        "too few rows to be judged",
        "0.337",
        "no such row",
        "0.559",
        "yes from a score of 0.173",
        "disparate treatment",
        "2.0 MB",
        "1.2 ms",
        "Nobody labelled the night shift.",
        "fleetloop runs reproduce",
        "ann",
        "ffffffffffff",
        "false alarms in a million rows",
    ):
        assert told in plain, told


class _Tags(HTMLParser):
    """Collects tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_an_html_card_is_whole_loads_nothing_and_runs_nothing() -> None:
    text = html.render(build(a_subject()))
    found = _Tags()
    found.feed(text)
    assert found.open == []
    assert not found.tags & {"script", "link", "img", "iframe", "object", "form"}
    for name, value in found.attributes:
        assert not name.startswith("on")
        assert name not in {"src", "style"}
        assert name != "href" or (value or "").startswith("#")
    assert "url(" not in text
    assert "&lt;script&gt;" in text


def test_what_people_write_does_not_become_markdown() -> None:
    text = markdown.render(build(a_subject()))
    assert "<script>" not in text
    assert "[x](" not in text
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if "ann" in line}
    assert widths == {6}


def test_shuffled_rows_are_not_called_newer() -> None:
    subject = a_subject()
    spec = replace(subject.spec, rows=replace(subject.spec.rows, time=None, shuffle=True))
    for told, ordered in ((spec, False), (subject.spec, True)):
        text = markdown.render(build(dataclasses.replace(subject, spec=told)))
        assert ("newer than" in text) is ordered
        assert ("the rows were shuffled" in text) is not ordered


def test_a_card_counts_classes_by_their_names() -> None:
    subject = a_subject()
    assert subject.dataset is not None
    label = replace(subject.spec.label, classes=["dry", "rain"], positive="rain")
    told = dataclasses.replace(
        subject,
        spec=replace(subject.spec, label=label),
        dataset=replace(subject.dataset, labels={"0": 1_134, "1": 100}),
    )
    assert "dry: 1,134, rain: 100" in markdown.render(build(told))


def test_the_same_records_give_the_same_card() -> None:
    assert html.render(build(a_subject())) == html.render(build(a_subject()))


def test_a_version_whose_records_are_gone_has_a_card_too() -> None:
    bare = Subject(replace(a_version(1), state=VersionState.BLOCKED), parse(SPEC))
    assert "# rain v1: blocked" in markdown.render(build(bare))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as made:
        spec = made.blobs.put(SPEC.encode())
        made.catalog.put(Model(key="rain", spec=spec, floor=0, added_at=START))
        made.catalog.put(a_version(3), replace(a_run(a_version(3).run), spec=spec))
        yield made


@pytest.fixture
def run(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    return runner(monkeypatch, capsys, tmp_path)


def test_the_command_prints_a_card_or_writes_it(run: Command, tmp_path: Path) -> None:
    assert run("models", "card", "rain@3").out.startswith("# rain v3: ready")
    assert run("models", "card", "rain", "--html", "--out", "card.html").code == 0
    assert (tmp_path / "card.html").read_text().startswith("<!doctype html>")
    unknown = run("models", "card", "rain@9")
    assert unknown.code != 0
    assert "rain has no version 9" in unknown.err


def test_the_browser_keeps_the_card_and_does_not_show_it_here(hub: WebHub) -> None:
    answer = hub.client().get("/api/v1/versions/rain/3/card.html")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="rain-3.html"'
    found = hub.catalog.find(Version, "rain/3")
    assert found is not None
