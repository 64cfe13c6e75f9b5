"""From what devices see to a new version: watch, decide, train, and take in what came of it."""

from dataclasses import dataclass

from fleetloop_hub.data import datasets
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.lookout import Lookout
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.records import Dataset, Model, Verdict, VersionState
from fleetloop_hub.releasing import Releasing
from fleetloop_hub.retraining.advice import Advice, Finding
from fleetloop_hub.retraining.decide import decide
from fleetloop_hub.retraining.decisions import Decisions
from fleetloop_hub.run_parts import Imported
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.tracking.standing import hindrance
from fleetloop_hub.training.runs import Failed, Finished, Order, Runs
from fleetloop_hub.verdict_records import FleetVerdict

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

    def take_in(self, now: float) -> None:
        """Make versions of the runs that have ended."""
        for ended in self._runs.poll():
            self._end_run(ended, now)

    def watch(self, now: float) -> None:
        """See what every champion's field asks for, and begin to train where it is a retraining."""
        for model in self._catalog.all(Model):
            self._watch(model.key, now)

    def train(self, model: str, trigger: str, reason: str, asked: Asked, now: float) -> str:
        """Start a run on the newest dataset version; returns its key.

        Raises:
            TrainingError: No such model, or a run is under way.
        """
        advice = Advice(Finding.CHANGED, Verdict.RETRAIN, trigger, [reason], [], {})
        return self._train(model, advice, datasets.newest(self._catalog, model), asked, now)

    def moved(self) -> list[FleetVerdict]:
        """Who has moved, of the devices that serve each model's champion; from any thread."""
        return self._lookout.verdicts()

    def _watch(self, model: str, now: float) -> None:
        champion = self._registry.champion(model)
        if champion is None:
            return
        spec = self._specs.of(model)
        evidence = self._lookout.look(champion, now)
        advice = decide(evidence, spec.retrain, trainable=bool(spec.candidates))
        if advice.verdict is Verdict.RETRAIN:
            if self._runs.underway() is not None:
                return  # another model's run; this one begins when that has ended
            text = self._specs.text(model)
            grown = self._additions.grow(model, text, self._telemetry.labelled(model))
            if grown is not None and not self._lookout.has_learned(grown):
                self._train(model, advice, grown, Asked(), now)
            return
        self._decisions.note(model, champion.number, advice, now)

    def _train(self, model: str, advice: Advice, dataset: Dataset, asked: Asked, now: float) -> str:
        self._runs.check_free()
        found, champion = self._specs.model(model), self._registry.champion(model)
        decision = self._decisions.record(
            model, advice, now, champion=None if champion is None else champion.number, by=asked.by
        )
        order = Order(
            spec_text=self._specs.text(model),
            version=self._registry.next_number(model),
            floor=found.floor,
            dataset=dataset.key,
            champion=None if champion is None else self._registry.to_beat(champion),
            decision=decision.key,
            reason=advice.reasons[0],
            asked_by=asked.by or advice.trigger,
            imported=asked.imported,
        )
        return self._runs.start(order, now)

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
            self._releasing.follow(version)
