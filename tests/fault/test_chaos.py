"""Stories of whole fleets: they end well, they are repeatable, and what is wrong is found out."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from fleetloop_firmware_sim.chaos.draw import draw
from fleetloop_firmware_sim.chaos.run import run
from fleetloop_firmware_sim.chaos.shrink import shrink
from fleetloop_firmware_sim.chaos.story import BROKER, HUB, Act, Flavour, Kind, Story
from fleetloop_firmware_sim.cli import app
from support import chaos_mutants as mutants

SEEDS = range(14)
REPEATED = [3, 8]

SCRIPT = """
import sys
from fleetloop_firmware_sim.chaos.draw import draw
from fleetloop_firmware_sim.chaos.run import run
print(" ".join(run(draw(int(seed))).trace for seed in sys.argv[1:]))
"""


def test_seeded_stories_end_well() -> None:
    broken = {seed: run(draw(seed)).broken for seed in SEEDS}
    assert {seed: text for seed, text in broken.items() if text is not None} == {}


def test_a_seed_tells_the_same_story_whatever_the_order_of_hashes() -> None:
    here = [run(draw(seed)).trace for seed in REPEATED]
    command = [sys.executable, "-c", SCRIPT, *map(str, REPEATED)]
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    there = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert there.stdout.split() == here
    assert len(set(here)) == len(here)


def test_every_kind_of_trouble_and_of_release_comes_up() -> None:
    stories = [draw(seed) for seed in range(200)]
    assert {act.kind for story in stories for act in story.acts} == set(Kind)
    assert {flavour for story in stories for flavour in story.releases} == set(Flavour)
    assert {len(story.devices) for story in stories} == {1, 2, 3}
    assert {len(set(story.devices.values())) for story in stories} == {1, 2}


def test_a_story_is_read_back_from_its_file_and_told_the_same() -> None:
    story = draw(5)
    assert msgspec.json.decode(msgspec.json.encode(story), type=Story) == story
    assert len(story.words) == len(story.acts) + 3


@pytest.mark.parametrize("mutant", mutants.SEEDS, ids=lambda mutant: mutant.__name__)
def test_a_wrong_protocol_is_found_out(
    mutant: mutants.Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    assert any(run(draw(seed)).broken for seed in mutants.SEEDS[mutant])


def test_saying_committed_before_it_is_durable_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mutants.says_committed_first(monkeypatch)
    cuts = [told(power_cut(at / 4, "report events")) for at in range(16, 36)]
    assert any(run(story).broken for story in cuts)


def power_cut(at_s: float, place: str) -> Act:
    return Act(at_s=at_s, kind=Kind.POWER, who="device-1", count=1, place=place, for_s=1.0)


def told(*trouble: Act) -> Story:
    """The story of one good release, a bad one and some trouble."""
    roll_outs = [
        Act(at_s=1.0 + 20.0 * number, kind=Kind.ROLL_OUT, who="north", count=number + 1)
        for number in range(2)
    ]
    return Story(
        seed=0,
        devices={"device-1": "north"},
        releases=[Flavour.GOOD, Flavour.BRITTLE],
        acts=sorted([*roll_outs, *trouble], key=lambda act: act.at_s),
        quiet_s=40.0,
    )


def test_without_trouble_a_good_release_is_taken_and_a_bad_one_goes_back() -> None:
    ending = run(told())
    assert ending.broken is None
    assert ending.rollouts == {"done": 1, "reverted": 1}


def acts(*kinds: Kind) -> Story:
    return Story(
        seed=0,
        devices={"device-1": "north", "device-2": "north"},
        releases=[Flavour.GOOD, Flavour.DEADLY],
        acts=[Act(at_s=at, kind=kind, who=HUB) for at, kind in enumerate(kinds)],
        quiet_s=10.0,
    )


def test_a_story_is_shortened_to_what_it_takes() -> None:
    needed = {Kind.POWER, Kind.FULL}
    long = acts(Kind.STORM, Kind.POWER, Kind.REPLAY, Kind.DRIFT, Kind.FULL, Kind.ROT, Kind.JUMP)

    def fails(story: Story) -> bool:
        return needed <= {act.kind for act in story.acts}

    short = shrink(long, fails)
    assert [act.kind for act in short.acts] == [Kind.POWER, Kind.FULL]
    assert len(short.devices) == 1
    assert short.releases == [Flavour.GOOD, Flavour.GOOD]


def test_the_command_says_how_many_stories_it_told() -> None:
    answer = CliRunner().invoke(app, ["chaos", "--seeds", "2", "--json"])
    assert answer.exit_code == 0
    said = msgspec.json.decode(answer.stdout)
    assert (said["stories"], said["broken"]) == (2, [])


def test_the_command_shows_a_broken_promise_as_a_short_story_that_can_be_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutants.never_counts_attempts(monkeypatch)
    story = acts(Kind.RESTART)
    told = [
        Act(at_s=1.0, kind=Kind.ROLL_OUT, who="north", count=2),
        Act(at_s=2.0, kind=Kind.RESTART, who=BROKER, for_s=1.0),
    ]
    file, saved = tmp_path / "story.json", tmp_path / "short.json"
    story = msgspec.structs.replace(story, acts=told, quiet_s=60.0)
    file.write_bytes(msgspec.json.encode(story))
    command = ["chaos", "--story", str(file), "--save", str(saved)]
    answer = CliRunner().invoke(app, command)
    assert answer.exit_code == 1
    assert "which ends it, 4 times" in answer.stdout
    short = msgspec.json.decode(saved.read_bytes(), type=Story)
    assert [act.kind for act in short.acts] == [Kind.ROLL_OUT]
    assert "roll out version 2" in answer.stdout


def test_a_file_that_is_no_story_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "story.json"
    file.write_text("{}")
    answer = CliRunner().invoke(app, ["chaos", "--story", str(file)])
    assert answer.exit_code == 1
    assert "--save" in str(answer.exception)
