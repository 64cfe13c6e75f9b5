"""From what devices see to a new version: watch, decide, train, and take in what came of it."""

from dataclasses import dataclass, replace

from fleetloop_hub.data import datasets
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.data.windows import Choice
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import AbsentError
from fleetloop_hub.fleet_records import Awaited, Rollout
from fleetloop_hub.lookout import Lookout
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.records import (
    Dataset,
    Model,
    Run,
    RunState,
    Verdict,
    Version,
    VersionState,
)
from fleetloop_hub.releasing import Releasing
from fleetloop_hub.retraining.advice import Advice, Finding
from fleetloop_hub.retraining.begun import Begun
from fleetloop_hub.retraining.decide import decide, standing
from fleetloop_hub.retraining.decisions import Decisions
from fleetloop_hub.retraining.evidence import Evidence
from fleetloop_hub.retraining.holding import Holding, fingerprint
from fleetloop_hub.retraining.taking_up import take_up
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.tracking.standing import hindrance
from fleetloop_hub.training.queue import Queue
from fleetloop_hub.training.runs import Failed, Finished, Order, Runs
from fleetloop_hub.verdict_records import FleetVerdict
from fleetloop_shared.errors import FleetloopError

PERSON = "person"
"""The trigger of what a person asked for; what comes of it waits for a person as well."""


@dataclass(frozen=True)
class Asked:
    """Who wants a run, beside why.

    Attributes:
        by: The person's name, "" if nobody has asked.
        imported: A file among the blobs to take in instead of training candidates.
    """

    by: str = ""
    imported: Imported | None = None


@dataclass(frozen=True)
class Studio:
    """What makes versions.

    Attributes:
        additions: Dataset versions being built.
        runs: Trainings.
        registry: The versions.
        decisions: Why everything was done.
    """

    additions: Additions
    runs: Runs
    registry: Registry
    decisions: Decisions


class Relearning:
    """Watches champions and makes their successors; for one thread at a time but for `moved`."""

    def __init__(self, telemetry: Telemetry, studio: Studio, releasing: Releasing) -> None:
        """Begin with what is kept.

        Args:
            telemetry: What devices say.
            studio: What makes versions.
            releasing: Where a new version goes.
        """
        self._telemetry, self._releasing = telemetry, releasing
        self._additions, self._runs = studio.additions, studio.runs
        self._registry, self._decisions = studio.registry, studio.decisions
        self._catalog = studio.registry.catalog
        self._specs = Specs(self._catalog, studio.registry.blobs)
        self._lookout = Lookout(self._catalog, telemetry, studio.registry)
        self._queue = Queue(self._catalog, studio.registry.blobs)
        self._holding = Holding()
        self._begun = Begun()
        take_up(self._catalog, self._queue, self._decisions, self._specs)

    def take_in(self, now: float) -> None:
        """Make versions of the runs that have ended."""
        for ended in self._runs.poll():
            self._end_run(ended, now)

    def watch(self, now: float) -> None:
        """See what every champion's field asks for, and begin to train where it is a retraining."""
        self._begin_queued(now)
        self._follow_approved()
        for model in self._catalog.all(Model):
            self._watch(model.key, now)

    def train(self, model: str, trigger: str, reason: str, asked: Asked, now: float) -> str:
        """Start a run on the newest dataset version, or queue it; returns its key.

        Raises:
            AbsentError: No such model.
            TrainingError: A run of it is in the queue already.
        """
        self._specs.model(model)
        dataset = datasets.newest(self._catalog, model)
        self._queue.check(model)
        advice = Advice(Finding.CHANGED, Verdict.RETRAIN, trigger, [reason], [], {})
        return self._order(model, advice, dataset, asked, now)

    def allow(self, run: str, by: str, reason: str, now: float) -> None:
        """A person agrees to a run that waits for that.

        Raises:
            TrainingError: It does not.
        """
        allowed = self._queue.allow(run, by)
        self._decisions.follow(allowed.decision, f"{by} has agreed: {reason}", now)

    def cancel(self, run: str, by: str, now: float) -> None:
        """End a run that is under way, or take one out that has not begun.

        Raises:
            AbsentError: There is no such run.
            TrainingError: It is neither.
        """
        found = self._catalog.find(Run, run)
        if found is None:
            raise AbsentError(f"no run {run[:80]!r}: see `fleetloop runs list`")
        if found.state not in {RunState.QUEUED, RunState.WAITING}:
            self._runs.cancel(run, by)
            return
        text = f"taken out by {by or 'a person'} before it had begun; nothing was changed"
        self._queue.drop(found, text)
        self._decisions.close(found.decision, f"no version came of it: {text}", now)

    def moved(self) -> list[FleetVerdict]:
        """Who has moved, of the devices that serve each model's champion; from any thread."""
        return self._lookout.verdicts()

    def _watch(self, model: str, now: float) -> None:
        champion = self._registry.champion(model)
        if champion is None:
            return
        spec = self._specs.of(model)
        evidence = self._held(champion, self._lookout.look(champion, spec, now), spec.retrain)
        advice = decide(evidence, spec.retrain, trainable=bool(spec.candidates))
        advice, evidence = self._begun.stands(model, champion.number, advice, evidence)
        if advice.verdict is Verdict.RETRAIN:
            self._retrain(champion, advice, evidence, now)
        elif advice.verdict is Verdict.ROLL_BACK:
            self._go_back(champion, advice, now)
        else:
            self._decisions.note(model, champion.number, advice, now)

    def _held(self, champion: Version, evidence: Evidence, policy: RetrainTable) -> Evidence:
        """The evidence with how long its triggers have stood, and which have had their training."""
        held, spent = self._holding.look(
            (champion.model, champion.number),
            fingerprint(evidence),
            standing(evidence, policy),
            policy.rearm_looks,
            self._lookout.labels(champion.model),
        )
        return replace(evidence, held=held, spent=spent)

    def _retrain(self, champion: Version, advice: Advice, evidence: Evidence, now: float) -> None:
        if self._runs.underway() is not None:
            return  # another model's run; this one begins when that has ended
        model = champion.model
        spec = self._specs.of(model)
        since = self._lookout.since(model, champion.number)
        choice = Choice(self._lookout.odd(evidence, spec), since)
        text = self._specs.text(model)
        self._begun.drop(model)  # where gathering fails, nothing is begun
        grown = self._additions.grow(model, text, self._telemetry.labelled(model), choice)
        if grown is None:
            self._begun.keep(model, champion.number, advice, evidence)
        if grown is None or self._lookout.has_learned(grown):
            return
        self._order(model, advice, grown, Asked(), now)
        labels = self._lookout.labels(model)
        self._holding.spend((model, champion.number), advice.trigger, labels)

    def _go_back(self, champion: Version, advice: Advice, now: float) -> None:
        """Take the version before to where the champion is told to run, by rollouts of its own."""
        before = self._catalog.find(Version, f"{champion.model}/{advice.version}")
        if before is None or self._has_gone_back(champion, before):
            return
        decision = self._decisions.record(champion.model, advice, now, champion=champion.number)
        self._releasing.follow(before, decision.key)
        text = f"version {before.number} goes to where version {champion.number} was told to run"
        self._decisions.close(decision.key, text, now, before.number)

    def _has_gone_back(self, champion: Version, before: Version) -> bool:
        """Whether that was decided already; what became of it then, it is not tried again."""
        return any(
            d.verdict is Verdict.ROLL_BACK
            and (d.model, d.champion) == (champion.model, champion.number)
            and d.version == before.number
            for d in self._catalog.all(Decision)
        )

    def _order(self, model: str, advice: Advice, dataset: Dataset, asked: Asked, now: float) -> str:
        """Record the decision; begin, or let the run wait for a person or for its turn."""
        champion = self._registry.champion(model)
        decision = self._decisions.record(
            model, advice, now, champion=None if champion is None else champion.number, by=asked.by
        )
        order = Order(
            spec_text=self._specs.text(model),
            version=self._registry.next_number(model),
            floor=self._specs.model(model).floor,
            dataset=dataset.key,
            champion=None,
            decision=decision.key,
            reason=advice.reasons[0],
            asked_by=asked.by or advice.trigger,
            imported=asked.imported,
        )
        before = self._specs.of(model).retrain.approval == "before_training"
        if before and advice.trigger != PERSON:
            run = self._queue.put(order, RunState.WAITING, now)
            text = f"run {run} waits for a person: fleetloop retrain approve {run}"
            self._decisions.follow(decision.key, text, now)
            return run
        run = self._queue.put(order, RunState.QUEUED, now)
        self._begin_queued(now)
        return run

    def _begin_queued(self, now: float) -> None:
        """Begin what has waited for longest, beside the champion and at the number of now.

        Raises:
            FleetloopError: It cannot be begun; it is taken out of the queue.
        """
        turn = None if self._runs.underway() is not None else self._queue.next()
        if turn is None:
            return
        run = turn.run
        decision = self._catalog.find(Decision, run.decision)
        own = decision is not None and decision.trigger != PERSON
        consent = self._specs.of(run.model).retrain.approval
        try:
            champion = self._registry.champion(run.model)
            order = Order(
                spec_text=turn.spec_text,
                version=self._registry.next_number(run.model),
                floor=self._specs.model(run.model).floor,
                dataset=run.dataset,
                champion=None if champion is None else self._registry.to_beat(champion),
                decision=run.decision,
                reason=run.reason,
                asked_by=run.asked_by,
                imported=run.imported,
                must_beat=own,
                needs_approval=own and consent == "before_rollout",
            )
            self._runs.start(order, now, run.key)
        except FleetloopError as error:
            self._queue.drop(run, str(error), RunState.FAILED)
            self._decisions.close(run.decision, f"no version came of it: {error}", now)
            raise

    def _follow_approved(self) -> None:
        """Roll out what the hub has made by itself and a person has approved meanwhile."""
        gone = {(r.model, r.version) for r in self._catalog.all(Rollout)}
        awaited = {a.key for a in self._catalog.all(Awaited)}
        for version in self._catalog.all(Version):
            waits = version.needs_approval and version.state is VersionState.READY
            if not waits or version.key in awaited or (version.model, version.number) in gone:
                continue
            consent = self._specs.of(version.model).retrain.approval
            decision = self._catalog.find(Decision, version.decision)
            own = decision is not None and decision.trigger != PERSON
            newest = version.number == self._registry.next_number(version.model) - 1
            if consent == "before_rollout" and own and newest:
                self._releasing.follow(version, version.decision)

    def _end_run(self, ended: Finished | Failed, now: float) -> None:
        if isinstance(ended, Failed):
            self._decisions.close(ended.decision, f"no version came of it: {ended.text}", now)
            return
        version = self._registry.register(ended, now)
        self._runs.settle(ended)
        ready = version.state is VersionState.READY
        listed = self._releasing.is_listed(version, now)
        text = f"version {version.number} is ready" if ready else hindrance(version)
        if ready and not listed:
            text += " and waits for people's signatures: fleetloop keys sign --key FILE"
        decision = self._decisions.close(ended.decision, text, now, version.number)
        if ready and decision.trigger != PERSON:
            self._releasing.follow(version, decision.key)
