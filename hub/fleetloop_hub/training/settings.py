"""Draws the settings of a candidate that are tried: each is a candidate with nothing to search."""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from sklearn.model_selection import ParameterGrid, ParameterSampler

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.spec.training_tables import CandidateTable, RangeTable

_WHOLE = frozenset({"trees", "depth", "leaves", "leaf_rows", "neighbours"})
_DIGITS = 4


@dataclass(frozen=True)
class _Range:
    """A range as ParameterSampler wants it: something that draws."""

    table: RangeTable
    whole: bool

    def rvs(self, random_state: np.random.RandomState) -> float | int:
        low, high, share = self.table.low, self.table.high, random_state.uniform()
        value = low * (high / low) ** share if self.table.log else low + (high - low) * share
        if self.whole:
            return int(min(max(round(value), np.ceil(low)), np.floor(high)))
        return float(min(max(float(f"{value:.{_DIGITS}g}"), low), high))


def draw(candidate: CandidateTable, trials: int, seed: int) -> list[CandidateTable]:
    """What is tried, in the order in which it is tried; equal seeds draw alike.

    The setting that the spec itself writes comes first, if it names a value for every key that is
    searched; nothing outside what the spec names is tried. Lists alone are gone through without
    repetition.

    Args:
        candidate: What is searched for; without `search` it is the only setting.
        trials: The most settings.
        seed: Of the draws.

    Raises:
        TrainingError: A value to search among is none that the key can have.
    """
    if not candidate.search:
        return [candidate]
    own = {key: getattr(candidate, key) for key in candidate.search}
    found = [own] if all(value is not None for value in own.values()) else []
    space: dict[str, Any] = {
        key: _Range(choices, choices.whole or key in _WHOLE)
        if isinstance(choices, RangeTable)
        else choices
        for key, choices in candidate.search.items()
    }
    many = trials
    if all(isinstance(choices, list) for choices in space.values()):
        many = min(trials, len(ParameterGrid(space)))
    found.extend(ParameterSampler(space, many, random_state=seed))
    settings = [_setting(candidate, values) for values in found]
    return list({msgspec.json.encode(s): s for s in settings}.values())[:trials]


def _setting(candidate: CandidateTable, values: dict[str, Any]) -> CandidateTable:
    tables = msgspec.to_builtins(candidate) | values | {"search": {}}
    try:
        return msgspec.convert(tables, CandidateTable)
    except msgspec.ValidationError as error:
        raise TrainingError(
            f"candidate {candidate.name}: a value to search among is not possible: {error}; "
            "change candidates.search"
        ) from error
