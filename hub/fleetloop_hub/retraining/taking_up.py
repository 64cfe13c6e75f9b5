"""Retrainings that a stopped hub has left unfinished begin anew by themselves."""

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Run
from fleetloop_hub.retraining.decisions import Decisions
from fleetloop_hub.retraining.evidence import Trigger
from fleetloop_hub.tracking.specs import Specs
from fleetloop_hub.training.queue import Queue


def take_up(catalog: Catalog, queue: Queue, decisions: Decisions, specs: Specs) -> None:
    """Put what the hub had decided by itself in the queue again, and note it with the decision.

    What a person has asked for is left to them: their command was told that the run has failed.

    Args:
        catalog: Runs and decisions.
        queue: Where runs wait until the hub is free.
        decisions: The log.
        specs: The models'.
    """
    for run in catalog.all(Run):
        decision = catalog.find(Decision, run.decision)
        if decision is None or decision.trigger == Trigger.PERSON or run.reproduces is not None:
            continue
        again = queue.put_again(run, specs.model(run.model).floor)
        if again is not None:
            text = f"the hub was stopped during {run.key}: it begins anew as {again}"
            decisions.follow(decision.key, text, run.started_at)
