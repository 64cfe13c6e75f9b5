"""A version's way beside the champion, before a rollout or without one: delivery meets shadows."""

from msgspec.structs import replace

from fleetloop_hub.delivery.director import Director, Statement
from fleetloop_hub.delivery.listing import Image
from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Version
from fleetloop_hub.shadow_records import ShadowRun, ShadowState
from fleetloop_hub.shadowing.gate import Ready, Ruling, rule, words
from fleetloop_hub.shadowing.sums import Sums
from fleetloop_hub.shadowing.views import gather
from fleetloop_hub.shadowing.weighing import Weighed, weigh
from fleetloop_hub.spec.shadow_table import ShadowTable
from fleetloop_shared.messages import Release, Shadow
from fleetloop_shared.shadow_report import ShadowCounts

LOOK_S = 5.0
"""How often the reports of a shadow are counted."""

_NOTHING = Weighed(
    rows=0,
    agreement=None,
    agreement_low=0.0,
    agreement_high=1.0,
    labels=0,
    champion_accuracy=None,
    challenger_accuracy=None,
    points=None,
    points_low=-100.0,
    points_high=100.0,
)


class Challenging:
    """Starts shadows, ends them, and says what rollouts wait for; for one thread at a time."""

    def __init__(
        self, catalog: Catalog, telemetry: Telemetry, director: Director, image: Image
    ) -> None:
        """Take up every shadow where the catalog says it stood.

        Args:
            catalog: Where shadows are kept.
            telemetry: What devices say.
            director: Who tells them.
            image: What exists.
        """
        self._catalog, self._telemetry = catalog, telemetry
        self._director, self._image = director, image
        self._sums: dict[str, Sums] = {}
        self._looked: dict[str, tuple[float, Weighed]] = {}

    def start(
        self, version: Version, cohort: str, table: ShadowTable, now: float, *, gated: bool = False
    ) -> Statement:
        """Have a version run beside the champion of a cohort; another one there ends.

        Raises:
            GateError: Nothing serves there that it could be compared with, or a rollout goes on.
        """
        self._image.check(version)
        desired = self._director.desired(cohort)
        name = f"{version.model}@{version.number}"
        if desired is None or desired.release.model != version.model:
            raise GateError(
                f"cohort {cohort} runs no version of {version.model}, so {name} cannot run beside"
                f" one: roll one out with `fleetloop rollouts start`. Nothing was changed"
            )
        if self.busy(cohort):
            raise GateError(
                f"a rollout goes on in cohort {cohort}: devices move from one version to the next,"
                " and nothing runs beside. Wait until it has ended; nothing was changed"
            )
        if desired.release.version == version.number:
            raise GateError(
                f"{name} is what cohort {cohort} runs: name another version. Nothing was changed"
            )
        number = len(self._catalog.all(ShadowRun)) + 1
        run = ShadowRun(
            key=f"{version.model}-{version.number}-{cohort}-{number}",
            model=version.model,
            version=version.number,
            champion=desired.release.version,
            cohort=cohort,
            rows_share=table.rows_share,
            answer_share=table.answer_share,
            gated=gated,
            state=ShadowState.OPEN,
            started_at=now,
            text="devices are told to run it beside the champion",
        )
        ended = [
            _ended(other, ShadowState.SUPERSEDED, f"{name} takes its place", now)
            for other in self.open(cohort)
        ]
        shadow = _shadow(version, run, table)
        return self._director.restate(
            replace(desired, shadow=shadow), [version.key], now, with_=(*ended, run)
        )

    def stop(self, run: ShadowRun, state: ShadowState, text: str, now: float) -> Statement | None:
        """End a shadow; None where its cohort was told something else since."""
        ended = _ended(run, state, text, now)
        desired = self._director.desired(run.cohort)
        shadow = desired.shadow if desired is not None else None
        if desired is None or shadow is None or shadow.salt != run.key:
            self._catalog.put(ended)
            return None
        return self._director.restate(replace(desired, shadow=None), [], now, with_=(ended,))

    def find(self, model: str, number: int, cohort: str) -> ShadowRun:
        """The shadow that goes on.

        Raises:
            GateError: There is none.
        """
        found = [r for r in self.open(cohort) if (r.model, r.version) == (model, number)]
        if not found:
            raise GateError(
                f"{model}@{number} does not run beside a champion in cohort {cohort}: see"
                " `fleetloop shadow show`. Nothing was changed"
            )
        return found[-1]

    def open(self, cohort: str | None = None) -> list[ShadowRun]:
        """Shadows that go on, of one cohort or of all."""
        runs = self._catalog.all(ShadowRun)
        return [r for r in runs if r.state is ShadowState.OPEN and cohort in {None, r.cohort}]

    def look(self, now: float) -> None:
        """Note what was counted, and what has ended because its cohort was told something else."""
        for run in self.open():
            desired = self._director.desired(run.cohort)
            shadow = desired.shadow if desired is not None else None
            if shadow is None or shadow.salt != run.key:
                text = f"the cohort was told something else; {run.text}"
                self._catalog.put(_ended(run, ShadowState.SUPERSEDED, text, now))
                continue
            text = words(self._weigh(run, ShadowTable(), now))
            if not run.gated and text != run.text:
                self._catalog.put(replace(run, text=text))

    def ready_to_open(
        self, version: Version, cohort: str, table: ShadowTable, now: float
    ) -> tuple[Ruling, Statement | None]:
        """Whether the first phase of a version's rollout may open; begins its shadow if need be.

        Returns:
            What it may do, and what the cohort is to be told now.
        """
        if not self.demands(version, cohort, table):
            return Ruling(Ready.OPEN, ""), None
        runs = [r for r in self._catalog.all(ShadowRun) if r.cohort == cohort]
        mine = [r for r in runs if (r.model, r.version) == (version.model, version.number)]
        run = max(mine, key=lambda r: r.started_at, default=None)
        if run is None:
            return self._begin(version, cohort, table, now)
        if run.state is not ShadowState.OPEN:
            ready = Ready.OPEN if run.state is ShadowState.PASSED else Ready.REFUSE
            return Ruling(ready, run.text), None
        ruling = rule(self._weigh(run, table, now), table, now - run.started_at)
        if ruling.ready is Ready.REFUSE:
            return ruling, self.stop(run, ShadowState.REFUSED, ruling.text, now)
        changed = replace(run, text=ruling.text)
        if ruling.ready is Ready.OPEN:  # its rollout's statement takes the place of this one
            changed = _ended(run, ShadowState.PASSED, ruling.text, now)
        if changed != run:
            self._catalog.put(changed)
        return ruling, None

    def _begin(
        self, version: Version, cohort: str, table: ShadowTable, now: float
    ) -> tuple[Ruling, Statement | None]:
        if self.busy(cohort):
            return Ruling(Ready.WAIT, f"waits for the rollout in cohort {cohort}"), None
        statement = self.start(version, cohort, table, now, gated=True)
        return Ruling(Ready.WAIT, "begins beside the champion"), statement

    def demands(self, version: Version, cohort: str, table: ShadowTable) -> bool:
        """Whether a version must have run beside the champion of a cohort: not a way back."""
        desired = self._director.desired(cohort)
        if not table.rows or desired is None or desired.release.model != version.model:
            return False
        return version.number > desired.release.version

    def busy(self, cohort: str) -> bool:
        """Whether a rollout goes on in a cohort."""
        rollouts = self._catalog.all(Rollout)
        return any(r.cohort == cohort and r.under_way for r in rollouts)

    def _weigh(self, run: ShadowRun, table: ShadowTable, now: float) -> Weighed:
        looked = self._looked.get(run.key)
        if looked is not None and 0 <= now - looked[0] < LOOK_S:
            return looked[1]
        sums = self._sums.setdefault(run.key, Sums(run))
        gather(run, sums, self._catalog, self._telemetry)
        total: ShadowCounts | None = sums.total
        weighed = _NOTHING if total is None else weigh(total, table.confidence)
        self._looked[run.key] = now, weighed
        return weighed


def _ended(run: ShadowRun, state: ShadowState, text: str, now: float) -> ShadowRun:
    return replace(run, state=state, text=text, ended_at=now)


def _shadow(version: Version, run: ShadowRun, table: ShadowTable) -> Shadow:
    if version.manifest is None:
        raise LookupError(f"{version.key} has no signed manifest")
    return Shadow(
        release=Release(
            model=version.model,
            version=version.number,
            manifest_sha256=version.manifest,
            manifest_bytes=version.manifest_bytes,
        ),
        rows_share=table.rows_share,
        most_delay_ms=table.most_delay_ms,
        cpu_share=table.cpu_share,
        memory_bytes=table.memory_bytes,
        answer_share=table.answer_share,
        salt=run.key,
        most_difference=table.most_difference,
    )
