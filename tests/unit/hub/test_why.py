"""A story says why a version exists or does not, however it came about and however it ended."""

import io
from collections.abc import Iterator

import pytest
from msgspec import structs
from msgspec.structs import replace
from rich.console import Console

from fleetloop_hub.decision_records import Alternative, Decision, Moved, Note
from fleetloop_hub.fleet_records import UNDER_WAY, Rollout, RolloutState
from fleetloop_hub.judgement_records import Comparison, Finding, Judgement
from fleetloop_hub.records import Alias, Record, RunState, Verdict, Version, VersionState
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.tables import why as tables
from fleetloop_hub.version_parts import Approval, Saying
from fleetloop_hub.why import assembly, ways
from support.hubrecords import START, a_decision, a_rollout, a_run, a_version
from support.hubweb import WebHub, fill, problem, web_hub

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHub]:
    with web_hub(tmp_path_factory.mktemp("hub")) as hub:
        fill(hub)
        yield hub


def person(number: int, **changes: object) -> Decision:
    made = replace(
        a_decision(f"rain-{number}"), trigger="person", asked_by="ada", reasons=["a better spec"]
    )
    return replace(made, version=number, **changes)


def rolled(number: int, state: RolloutState, *, control: int = 1, text: str = "well") -> Rollout:
    return replace(
        a_rollout(state=state), key=f"rollout-{number}", version=number, control=control, text=text
    )


def version(number: int, state: VersionState, *, passes: bool = True) -> Version:
    made = a_version(number, state=state, run=f"run-{number}", decision=f"rain-{number}")
    return (
        made
        if passes
        else replace(a_version(number, passes=False), run=made.run, decision=made.decision)
    )


CASES: dict[str, tuple[list[Record], list[str]]] = {
    "by hand": (
        [version(11, VersionState.RELEASED), rolled(11, RolloutState.DONE), person(11)],
        ["ada asked for it: a better spec", "2 of 2 gates", "in place of version 1 and all"],
    ),
    "imported": (
        [
            version(12, VersionState.READY),
            person(12),
            replace(
                a_run("run-12"),
                decision="rain-12",
                imported=Imported(file="net.onnx", sha256="0" * 64, length_bytes=9, producer="py"),
            ),
        ],
        ["took in net.onnx, written by py", "nobody has rolled it out"],
    ),
    "blocked": (
        [version(13, VersionState.BLOCKED, passes=False), person(13)],
        ["1 of 2 gates", "Blocked by champion", "Nothing was released"],
    ),
    "rejected": (
        [
            replace(
                version(14, VersionState.REJECTED),
                approvals=[Approval(saying=Saying.REJECT, by="bob", reason="too old", at=START)],
            ),
            person(14),
        ],
        ["bob rejected it: too old"],
    ),
    "reverted": (
        [
            version(15, VersionState.REVERTED),
            rolled(15, RolloutState.REVERTED, text="2 of 3 failed"),
            person(15),
        ],
        ["was taken back: 2 of 3 failed"],
    ),
    "rolled back to": (
        [
            version(16, VersionState.RELEASED),
            rolled(16, RolloutState.DONE, control=99, text=""),
            person(16),
        ],
        ["It came back to default in place of version 99"],
    ),
    "not kept": (
        [version(17, VersionState.READY)],
        ["The decision that it comes from is not kept"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_story_of_a_version_reads_right_when_it_was(hub: WebHub, case: str) -> None:
    records, sentences = CASES[case]
    hub.catalog.put(*records)
    [about] = [record for record in records if isinstance(record, Version)]
    story = assembly.of_version(hub.catalog, about)
    told = " ".join(story.short)
    assert [s for s in sentences if s not in told] == []
    assert story.kind == {"imported": "imported", "not kept": "lost"}.get(case, "trained")
    assert ".." not in told


NOTHING: dict[str, tuple[list[Record], str]] = {
    "a failed run": (
        [
            replace(a_decision("rain-21"), version=None),
            replace(
                a_run("run-21", state=RunState.FAILED, error="one class alone"), decision="rain-21"
            ),
        ],
        "run-21 gave nothing: one class alone",
    ),
    "an odd device": (
        [
            replace(
                a_decision("rain-22", verdict=Verdict.INVESTIGATE), version=None, devices=["roof"]
            )
        ],
        "The hub named roof, and trained nothing, led by drift",
    ),
    "waiting": (
        [replace(a_decision("rain-23", verdict=Verdict.WAIT), version=None)],
        "The hub decided to wait",
    ),
}


@pytest.mark.parametrize("case", NOTHING)
def test_a_decision_of_which_no_version_came_has_a_story_too(hub: WebHub, case: str) -> None:
    records, sentence = NOTHING[case]
    hub.catalog.put(*records)
    [about] = [record for record in records if isinstance(record, Decision)]
    story = assembly.of_decision(hub.catalog, about)
    assert sentence in " ".join(story.short)
    assert (story.kind, story.version, story.rollouts) == ("nothing", None, [])


def test_a_judgement_is_shown_with_its_figures_units_and_limit(hub: WebHub) -> None:
    worse = Comparison(
        measure="errors",
        unit="points",
        treated=2.5,
        control=0.5,
        difference=2.0,
        low=1.0,
        high=3.0,
        limit=1.0,
        finding=Finding.HARMFUL,
        treated_rows=900,
        control_rows=900,
        text="2 points more errors",
        hardware="pi3",
    )
    said = Judgement(finding=Finding.HARMFUL, text="it fails on pi3", comparisons=[worse])
    judged = replace(rolled(1, RolloutState.REVERTED), judgement=said)
    story = assembly.of_version(hub.catalog, _find(hub, 1))
    console = Console(width=200, file=io.StringIO(), force_terminal=False)
    console.print(tables.whole(structs.replace(story, rollouts=[judged])))
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
    for words in ("it fails on pi3", "errors on pi3", "+2 (+1 to +3) points; limit +1", "harmful"):
        assert words in shown


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("open", "is in phase 1 of 2"),
        ("waiting", "waits for a person"),
        ("paused", "is paused"),
        ("halting", "is being taken back"),
        ("reverted", "was taken back"),
        ("superseded", "took its"),
        ("aborted", "was ended by a person"),
        ("expired", "its time was over"),
    ],
)
def test_every_end_of_a_rollout_has_its_words(state: str, words: str) -> None:
    assert words in ways.sentence(rolled(3, RolloutState(state)))


@pytest.mark.parametrize(
    ("state", "command"),
    [
        (RolloutState.WAITING, "fleetloop rollouts approve rollout-7 --reason TEXT"),
        (RolloutState.PAUSED, "fleetloop rollouts resume rollout-7 --reason TEXT"),
        (RolloutState.HALTING, "fleetloop rollouts show rollout-7"),
        (RolloutState.OPEN, ""),
        (RolloutState.ABORTED, "fleetloop rollouts start rain@7"),
        (RolloutState.EXPIRED, "fleetloop rollouts start rain@7"),
    ],
)
def test_a_story_ends_with_what_its_rollout_waits_for(
    hub: WebHub, state: RolloutState, command: str
) -> None:
    moving = state in UNDER_WAY
    made = replace(rolled(7, state), ended_at=None if moving else START + 9)
    hub.catalog.put(version(7, VersionState.READY), person(7), made)
    assert assembly.of_version(hub.catalog, _find(hub, 7)).next == command


def test_the_chain_goes_both_ways_and_holds_what_gave_no_version(hub: WebHub) -> None:
    hub.catalog.put(
        version(31, VersionState.RELEASED),
        person(31),
        version(32, VersionState.READY),
        replace(person(32), champion=31, at=START + 5),
        replace(a_decision("odd-31", verdict=Verdict.INVESTIGATE), champion=31, version=None),
    )
    after = assembly.of_version(hub.catalog, _find(hub, 31)).after
    assert [(link.decision, link.version) for link in after] == [("odd-31", None), ("rain-32", 32)]
    before = assembly.of_version(hub.catalog, _find(hub, 32)).before
    assert before is not None
    assert before.version == 31


def test_what_happened_is_told_once_and_in_order(hub: WebHub) -> None:
    hub.catalog.put(
        version(41, VersionState.RELEASED),
        rolled(41, RolloutState.DONE, text="all well"),
        replace(a_run("run-41"), decision="rain-41"),
        person(41, followed=[Note(at=START + 9, text="version 41: all well")]),
    )
    told = [note.text for note in assembly.of_version(hub.catalog, _find(hub, 41)).happened]
    assert [text.split()[0] for text in told if "all well" in text] == ["version"]
    assert [n.at for n in assembly.of_version(hub.catalog, _find(hub, 41)).happened] == sorted(
        n.at for n in assembly.of_version(hub.catalog, _find(hub, 41)).happened
    )


def test_a_decision_page_shows_everything_and_nothing_in_it_can_be_made_to_run(
    hub: WebHub,
) -> None:
    drawn = hub.blobs.put(b"<svg/>")
    moved = Moved(
        feature=SCRIPT, unit="C", ratio=2.0, text=SCRIPT, edges=[1.0], reference_rows=[1, 1],
        live_rows=[2, 0],
    )  # fmt: skip
    hub.catalog.put(
        replace(
            a_decision("evil"),
            reasons=[SCRIPT],
            devices=[SCRIPT],
            asked_by=SCRIPT,
            alternatives=[Alternative(verdict=Verdict.WAIT, text=SCRIPT)],
            pictures={"drift": drawn},
            followed=[Note(at=START, text=SCRIPT)],
            moved=[moved],
        )
    )
    text = hub.client().get("/decisions/evil").text
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert") >= 5
    assert 'src="/api/v1/decisions/evil/drift.svg"' in text
    shown = hub.client().get("/api/v1/decisions/evil/drift.svg")
    assert (shown.data, shown.mimetype) == (b"<svg/>", "image/svg+xml")
    told = hub.client().get("/api/v1/decisions/evil").get_json()
    assert told["pictures"] == {"drift": "/decisions/evil/drift.svg"}
    assert {"name": "new labels", "value": 640.0, "unit": "labels"} in told["figures"]


def test_a_version_page_is_linked_and_an_empty_one_says_so(hub: WebHub) -> None:
    hub.catalog.put(version(51, VersionState.READY))
    text = hub.client().get("/why/rain/51").text
    for empty in ("is not kept", "No picture was drawn", "It was not rolled out", "Nothing came"):
        assert empty in text
    home = hub.client().get("/").text
    assert 'href="/why/rain/51"' in home
    assert 'href="/decisions/' in home


@pytest.mark.parametrize(
    "path", ["/decisions/none", "/decisions/decision-1/none.svg", "/decisions/none/drift.svg"]
)
def test_what_is_not_there_is_a_problem_with_words(hub: WebHub, path: str) -> None:
    assert problem(hub.client().get(f"/api/v1{path}"), 404)["detail"]


def test_a_model_without_versions_is_a_problem_that_names_those_there_are(hub: WebHub) -> None:
    assert "rain" in problem(hub.client().get("/api/v1/why/snow"), 404)["detail"]


def test_the_champion_is_found_by_its_name(hub: WebHub) -> None:
    hub.catalog.put(Alias(key="rain/champion", version=1))
    assert hub.client().get("/api/v1/why/rain/champion").get_json()["version"] == 1


def _find(hub: WebHub, number: int) -> Version:
    found = hub.catalog.find(Version, f"rain/{number}")
    assert found is not None
    return found
