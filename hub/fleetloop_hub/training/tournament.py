"""Tries every candidate, packs the best settings of each for the device, and picks one."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec import structs

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.run_parts import Candidate, Setting
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import CandidateTable
from fleetloop_hub.training.entering import Tried, enter
from fleetloop_hub.training.folds import folds
from fleetloop_hub.training.picking import Entrant, dominated, excess, pick
from fleetloop_hub.training.progress import Units
from fleetloop_hub.training.search import Found, Ground, search
from fleetloop_hub.training.settings import draw
from fleetloop_hub.training.split import Split
from fleetloop_hub.validation.mitigation import misses, offsets
from fleetloop_shared.manifest import Signature

_PACKED = 3
_MADE_FAIR = 2


@dataclass(frozen=True)
class Rules:
    """How a tournament is held.

    Attributes:
        narrate: Told the share that is done, and what is being done, in words.
        clock: Seconds; only differences matter.
    """

    narrate: Callable[[float, str], object]
    clock: Callable[[], float]


@dataclass(frozen=True)
class Outcome:
    """What a tournament leaves.

    Attributes:
        winner: The candidate that is taken.
        candidates: The records of all that were packed, best first.
        pick: Why the winner was taken, in words.
        searches: Every setting that was tried, by candidate.
        notes: What a person should know.
    """

    winner: Tried
    candidates: list[Candidate]
    pick: str
    searches: dict[str, list[Setting]]
    notes: list[str]


def hold(spec: ModelSpec, split: Split, signature: Signature, rules: Rules) -> Outcome:
    """Hold a tournament; equal rows, spec and seed give an equal winner, unless time runs out.

    Of a candidate with something to search, the three best settings that fit the budget are packed.

    Args:
        spec: Its candidates, budget and metric.
        split: What is fitted and chosen on.
        signature: Inputs and outputs of the model.
        rules: Progress and time.

    Raises:
        TrainingError: No candidates, none that fits the budget, or none that can be scored.
    """
    if not spec.candidates:
        raise TrainingError(
            "the spec names no candidates: add [[candidates]], or import an ONNX file"
        )
    return _Tournament(spec, split, signature, rules).hold()


class _Tournament:
    """One tournament; its parts share what they are held on."""

    def __init__(self, spec: ModelSpec, split: Split, signature: Signature, rules: Rules) -> None:
        self._spec, self._signature, self._rules = spec, signature, rules
        self._folds, self._notes = folds(split, spec)
        self._settings = [
            draw(candidate, spec.training.trials, spec.model.seed) for candidate in spec.candidates
        ]
        self._searches: dict[str, list[Setting]] = {}
        self._unfit: list[str] = []
        fits = sum(map(len, self._settings)) * len(self._folds)
        self._units = Units(rules.narrate, fits + sum(map(_places, self._settings)))
        self._ends_at = rules.clock() + spec.training.limit_s

    def hold(self) -> Outcome:
        """All of it."""
        found = [(self._search(i), _places(s)) for i, s in enumerate(self._settings)]
        every = [f for some, _ in found for f in some]
        if not every:
            raise TrainingError(f"no candidate can be fitted: {'; '.join(self._unfit)}")
        if not any(math.isfinite(f.scores[0]) for f in every):
            raise TrainingError(
                f"{self._spec.gates.metric} cannot be measured on the validation rows: they lack a "
                "class; add rows, make training.validation larger, or choose another gates.metric"
            )
        tried = [t for some, places in found for t in self._enter(some, places)]
        if self._spec.fairness.groups:
            tried = self._look_at_groups(tried)
        tried.sort(key=lambda t: _or_least(t.record.quantized_score), reverse=True)
        return self._outcome(tried)

    def _search(self, index: int) -> list[Found]:
        """Candidates that are still to come keep their part of the time that is left."""
        later = sum(len(settings) > 1 for settings in self._settings[index + 1 :])
        now, settings = self._rules.clock(), self._settings[index]
        end = now + (self._ends_at - now) / (1 + later)
        ground = Ground(
            spec=self._spec,
            form=self._signature,
            folds=self._folds,
            units=self._units,
            expired=lambda: self._rules.clock() >= end,
        )
        best, records = search(settings, ground)
        name = self._spec.candidates[index].name
        if not best:
            self._unfit.append(records[0].note)
            self._notes.append(records[0].note)
        if len(settings) > 1:
            self._searches[name] = records
        if len(records) < len(settings):
            self._notes.append(
                f"training.limit_s ended the search of {name} after {len(records)} of "
                f"{len(settings)} settings; another run may try more or fewer"
            )
        return best

    def _enter(self, found: list[Found], places: int) -> list[Tried]:
        """The best that fit, and on the way to them those that do not."""
        tried: list[Tried] = []
        fitting = 0
        for one in found:
            if fitting == places:
                break
            self._units.watch(f"packing {one.model.candidate.name}")
            tried.append(enter(one, self._folds[0], self._spec))
            fitting += not excess(tried[-1].record, self._spec.budget)
        self._units.finish(places)
        return tried

    def _look_at_groups(self, tried: list[Tried]) -> list[Tried]:
        """Record which limits each misses; give the best that miss one thresholds of groups."""
        looked = [self._looked_at(t) for t in tried]
        order = sorted(looked, key=lambda t: _or_least(t.record.quantized_score), reverse=True)
        fitting = [t for t in order if not excess(t.record, self._spec.budget)]
        for one in [t for t in fitting[:_MADE_FAIR] if t.record.fairness]:
            looked += self._fair(one)
        return looked

    def _fair(self, one: Tried) -> list[Tried]:
        """A variant of a candidate with thresholds of groups, if there can be one."""
        if self._spec.fairness.mitigation == "none":
            return []
        groups = offsets(one.answers, self._folds[0].judged, self._spec)
        if groups is None:
            return []
        name = f"{one.record.name}-fair"
        self._units.watch(f"packing {name}")
        head = replace(one.model.head, groups=groups)
        candidate = structs.replace(one.model.candidate, name=name)
        model = replace(one.model, head=head, candidate=candidate)
        found = Found(model, one.scores)
        return [self._looked_at(enter(found, self._folds[0], self._spec))]

    def _looked_at(self, tried: Tried) -> Tried:
        missed = "; ".join(misses(tried.answers, self._folds[0].judged, self._spec))
        return replace(tried, record=structs.replace(tried.record, fairness=missed))

    def _outcome(self, tried: list[Tried]) -> Outcome:
        picked = pick([Entrant(t.record, t.answers) for t in tried], self._spec)
        beaten = dominated([t.record for t in tried])
        done = {
            t.record.name: structs.replace(
                t.record, note=picked.notes[t.record.name], dominated=t.record.name in beaten
            )
            for t in tried
        }
        winner = next(t for t in tried if t.record.name == picked.name)
        return Outcome(
            winner=replace(winner, record=done[picked.name]),
            candidates=list(done.values()),
            pick=picked.text,
            searches=self._searches,
            notes=self._notes,
        )


def _places(settings: list[CandidateTable]) -> int:
    return 1 if len(settings) == 1 else _PACKED


def _or_least(score: float) -> float:
    return score if math.isfinite(score) else -math.inf
