"""A story of a release that is wrong on one hardware type: tried, stopped, taken back, barred."""

from collections.abc import Iterator
from typing import Any, ClassVar

from msgspec.structs import replace

from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.sensor import Answer
from fleetloop_firmware_sim.stories import steady, steady_acts
from fleetloop_firmware_sim.stories.bad_release import world
from fleetloop_firmware_sim.stories.bad_release.summary import BadReleaseSummary, demands
from fleetloop_firmware_sim.stories.device import Device
from fleetloop_firmware_sim.stories.feeding import Feeding, Rhythm
from fleetloop_firmware_sim.stories.stage import Stage
from fleetloop_firmware_sim.stories.story import Asked, Story

ROWS_EACH = 40_000
PROBE_ROWS = 64
CANARY_SHARE = 1 / 3
"""Two stations with each board, and four that keep the first version."""

_STEADILY = Rhythm(batch_rows=16, pause_s=0.1, most_ahead_rows=256)
_PROBES = 0


class BadRelease(Story[BadReleaseSummary]):
    """Hours of a steady world on two kinds of boards; the seed draws the hours."""

    name: ClassVar[str] = "bad-release"
    caption: ClassVar[str] = (
        "a candidate passes every gate and is wrong on one board; the canary is as far as it gets"
    )
    usual_devices: ClassVar[int] = 12
    fewest_devices: ClassVar[int] = 12

    def __init__(self, asked: Asked) -> None:
        """Draw what each station measures; every other one has the bad board."""
        super().__init__(asked)
        kinds = (world.GOOD_BOARD, world.BAD_BOARD)
        self.boards = [kinds[number % 2] for number in range(self.devices)]
        self.lives = [
            world.life(ROWS_EACH, self.seed, station, board)
            for station, board in enumerate(self.boards, start=1)
        ]
        self.probes = {board: world.life(PROBE_ROWS, self.seed, _PROBES, board) for board in kinds}

    def blank(self) -> BadReleaseSummary:
        return BadReleaseSummary(
            story=self.name,
            seed=self.seed,
            bad_board=world.BAD_BOARD,
            canary_devices=round(CANARY_SHARE * self.devices),
        )

    def play(self, stage: Stage, found: BadReleaseSummary) -> Iterator[BadReleaseSummary]:
        steady_acts.first_version(stage, world.training_csv(self.seed), world.COLUMNS)
        steady_acts.everybody_runs_it(stage, self.lives, self.boards)
        before = self._probe(stage.devices)
        asked = {device.name: device.sensor.unanswered for device in stage.devices}
        told = {device.name: device.statement() for device in stage.devices}
        stage.screen.chapter("3  A second version, which also wants to know the humidity")
        wanted = steady.spec([*world.COLUMNS, world.HUMIDITY], canary_share=CANARY_SHARE)
        second = stage.train(steady.MODEL, wanted, "one more sensor")
        found = replace(found, gates_passed=second["state"] != "blocked")
        yield found
        if not found.gates_passed:
            return
        number = int(second["number"])
        self._roll_out(stage, number)
        stage.settle()
        found = self._judged(stage, self._released(stage, found, number), before)
        control = [device for device in stage.devices if device.name in found.control]
        in_vain = sum(device.sensor.unanswered - asked[device.name] for device in control)
        new = [d.statement() - told[d.name] for d in stage.devices if d.name in found.took_it]
        found = replace(found, control_unanswered=in_vain, statements=min(new, default=0))
        yield self._recorded(stage, found, number)

    def demands(self, found: BadReleaseSummary) -> dict[str, bool]:
        return demands(found)

    def ending(self, found: BadReleaseSummary) -> str:
        if not found.took_it:
            return ""
        return (
            f"{', '.join(found.took_it)} have answered {found.rows_of_it:,} rows with it, and are"
            f" back; {len(found.control)} others have never had it: {found.control_changed} of"
            f" {found.control_probes:,} of their answers differ from before"
        )

    def _roll_out(self, stage: Stage, number: int) -> None:
        """It goes out, the canary first, until the hub has made up its mind."""
        stage.screen.chapter("4  It goes out, the canary first")
        stage.feed(Feeding(stage.devices, _STEADILY))
        stage.roll_out(steady.MODEL, number, steady_acts.COHORT)
        stage.until(lambda: stage.hub.ended(number), 240.0, "the rollout did not end", fatal=False)
        stage.until(
            lambda: stage.hub.committed(1) == len(stage.devices),
            120.0,
            "not every station is back at the first version",
            fatal=False,
        )

    def _released(self, stage: Stage, found: BadReleaseSummary, number: int) -> BadReleaseSummary:
        rollout: dict[str, Any] = stage.hub.rollout_of(number) or {}
        of_it = [_rows_of(device, number) for device in stage.devices]
        names = [device.name for device in stage.devices]
        return replace(
            found,
            rollout=str(rollout.get("state", "")),
            phases_opened=int(rollout.get("phase", -1)) + 1,
            reason=str(rollout.get("text", "")),
            proof=_proof(rollout, world.BAD_BOARD),
            took_it=tuple(name for name, rows in zip(names, of_it, strict=True) if rows),
            control=tuple(name for name, rows in zip(names, of_it, strict=True) if not rows),
            rows_of_it=sum(of_it),
            quarantined=tuple(stage.hub.quarantined(number)),
            devices_back=stage.hub.committed(1),
        )

    def _judged(
        self, stage: Stage, found: BadReleaseSummary, before: dict[str, list[Answer]]
    ) -> BadReleaseSummary:
        """With the control's answers to the same rows, before and afterwards."""
        control = [device for device in stage.devices if device.name in found.control]
        after = self._probe(control)
        pairs = [
            pair
            for name, answers in after.items()
            for pair in zip(before[name], answers, strict=True)
        ]
        return replace(
            found,
            control_probes=len(pairs),
            control_changed=sum(_said(a) != _said(b) for a, b in pairs),
        )

    def _recorded(self, stage: Stage, found: BadReleaseSummary, number: int) -> BadReleaseSummary:
        """With what was trained, and what the hub tells when it is asked why there is this one."""
        told = stage.hub.why(steady.MODEL, number)
        stage.screen.chapter(f"5  fleetloop why {steady.MODEL}@{number}")
        for sentence in told["short"]:
            stage.screen.say("hub", sentence)
        return replace(
            found,
            retrainings=len(stage.hub.decisions("retrain")),
            versions=len(stage.hub.versions(steady.MODEL)),
            why=tuple(told["short"]),
        )

    def _probe(self, devices: list[Device]) -> dict[str, list[Answer]]:
        boards = {f"station-{n}": board for n, board in enumerate(self.boards, start=1)}
        return {device.name: device.answers(self._rows(boards[device.name])) for device in devices}

    def _rows(self, board: str) -> Recording:
        return self.probes[board]


def _rows_of(device: Device, version: int) -> int:
    """How many rows the device has answered with a version."""
    return sum(reading.answer.version == version for reading in device.sensor.readings)


def _proof(rollout: dict[str, Any], board: str) -> tuple[str, ...]:
    """The measures that were harmful on a board, by the judgement that has ended the rollout."""
    compared = (rollout.get("judgement") or {}).get("comparisons", [])
    return tuple(
        c["measure"] for c in compared if (c["hardware"], c["finding"]) == (board, "harmful")
    )


def _said(answer: Answer) -> tuple[float, float, int]:
    return answer.label, answer.score, answer.version
