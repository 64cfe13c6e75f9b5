"""What was decided is carried out, though evidence rests for a moment while rows are gathered."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub import relearning
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.records import Alias, Dataset, Run, RunState, Verdict, VersionState
from fleetloop_hub.retraining.advice import Advice, Finding
from fleetloop_hub.retraining.begun import Begun
from fleetloop_hub.retraining.decisions import Decisions
from fleetloop_hub.retraining.evidence import Evidence
from fleetloop_hub.tracking.kept import SPEC as SPEC_
from support.hubparts import make_version
from support.hubrecords import a_run
from support.hubrig import hub_rig
from support.learnable import SPEC


def advice(verdict: Verdict) -> Advice:
    return Advice(Finding.CHANGED, verdict, "drift", [f"it is {verdict}"], [], {})


def seen(busy: str | None = None) -> Evidence:
    return Evidence(drift=[], labels=0, since_training_s=1.0, busy=busy)


RETRAIN, WAIT = advice(Verdict.RETRAIN), advice(Verdict.WAIT)


@pytest.mark.parametrize(
    ("champion", "now", "evidence", "stands"),
    [
        (1, WAIT, seen(), True),
        (1, advice(Verdict.INVESTIGATE), seen(), True),
        (1, advice(Verdict.ROLL_BACK), seen(), False),
        (2, WAIT, seen(), False),
        (1, WAIT, seen("a rollout is under way"), False),
    ],
    ids=["quiet now", "an odd device", "gone back", "another champion", "busy"],
)
def test_what_was_decided_stands_until_something_else_is_done(
    champion: int, now: Advice, evidence: Evidence, *, stands: bool
) -> None:
    begun = Begun()
    begun.keep("rain", 1, RETRAIN, seen())
    told, _ = begun.stands("rain", champion, now, evidence)
    assert told == (RETRAIN if stands else now)
    assert begun.stands("rain", champion, WAIT, seen())[0] == (RETRAIN if stands else WAIT)


def test_a_trigger_that_rests_while_rows_are_gathered_does_not_undo_the_retraining(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub_rig(tmp_path) as rig:
        rig.add_model(SPEC.replace('"toy"', '"rain"'), "rain")
        make_version(rig.kept, 1, state=VersionState.RELEASED)
        rig.kept.catalog.put(Alias(key="rain/champion", version=1))
        rows = Dataset(
            key=a_run().dataset,
            model="rain",
            source="",
            rows=9,
            positives=3,
            quarantined={},
            parent=None,
            created_at=1.0,
        )
        advised, gathered = [RETRAIN, WAIT, WAIT, WAIT], [None, None, rows]
        ordered = list[tuple[Advice, Dataset]]()
        hub = rig.hub._relearning
        monkeypatch.setattr(relearning, "decide", lambda *_, **__: advised.pop(0))
        monkeypatch.setattr(hub._additions, "grow", lambda *_: gathered.pop(0))
        monkeypatch.setattr(
            hub, "_order", lambda _, told, grown, *__: ordered.append((told, grown))
        )
        while advised:
            rig.look()
        assert ordered == [(RETRAIN, rows)]
        assert gathered == []


def test_a_retraining_that_a_killed_hub_has_left_begins_anew_on_the_same_rows_but_not_for_ever(
    tmp_path: Path,
) -> None:
    with hub_rig(tmp_path) as rig:
        rig.add_model(SPEC.replace('"toy"', '"rain"'), "rain")
        text = rig.kept.blobs.put(SPEC.replace('"toy"', '"rain"').encode())
        log = Decisions(rig.kept.catalog)
        decision = log.record("rain", RETRAIN, 1.0, champion=1)
        left = replace(
            a_run("rain-0001", state=RunState.RUNNING),
            decision=decision.key,
            artifacts={SPEC_: text},
        )
        rig.kept.catalog.put(left)
        for _ in range(4):
            rig.restarted()
            newest = max(rig.kept.catalog.all(Run), key=lambda run: run.key)
            if newest.state is RunState.QUEUED:
                assert (newest.dataset, newest.decision) == (left.dataset, decision.key)
                rig.kept.catalog.put(replace(newest, state=RunState.RUNNING))
        states = [run.state for run in rig.kept.catalog.all(Run)]
        assert states == [RunState.FAILED] * 3
        told = rig.kept.catalog.find(Decision, decision.key)
        assert told is not None
        assert [note.text for note in told.followed] == [
            "the hub was stopped during rain-0001: it begins anew as rain-0002",
            "the hub was stopped during rain-0002: it begins anew as rain-0003",
        ]
