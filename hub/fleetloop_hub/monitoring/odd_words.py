"""A fleet's verdict in words: who, in what, by how much, and what could not be judged."""

import msgspec

from fleetloop_hub.monitoring.apart import Apart
from fleetloop_hub.monitoring.drift_words import number
from fleetloop_hub.verdict_records import Difference, FleetVerdict, Odd, Who

_NAMED = 3
_FEWEST = 3


def told(verdict: FleetVerdict, strayed: list[str], found: Apart) -> FleetVerdict:
    """The verdict with its words.

    Args:
        verdict: What was found.
        strayed: Of a moved fleet: how its features have left training, in words.
        found: How far devices are from each other.
    """
    reasons = [*strayed, *_found(verdict), *_missing(verdict, found)]
    return msgspec.structs.replace(verdict, text=_sentence(verdict), reasons=reasons)


def difference(it: Difference) -> str:
    """One difference in words, with its size in the feature's own unit.

    >>> difference(Difference(feature="t", what="mean", size=4.25, here=9.5, there=5.25, chance=0))
    't reads 4.25 higher (9.5 against 5.25)'
    """
    unit = f" {it.unit}" if it.unit else ""
    here, there, size = number(it.here), number(it.there), f"{number(abs(it.size))}{unit}"
    higher = "higher" if it.size > 0 else "lower"
    more = "more" if it.size > 0 else "less"
    words = {
        "mean": f"{it.feature} reads {size} {higher} ({here} against {there})",
        "spread": f"{it.feature} spreads {size} {more} (standard deviation {here} against {there})",
        "missing": f"{it.feature} is missing in {it.here:.1%} of the rows (against {it.there:.1%})",
        "category": f"{it.feature} is {it.other!r} in {it.here:.1%} of the rows (against "
        f"{it.there:.1%})",
        "swapped": f"{it.feature} and {it.other} look swapped: exchanged, both are as elsewhere",
        "correlation": f"{it.feature} and {it.other} correlate by {it.here:.2f} (against "
        f"{it.there:.2f})",
        "score": f"{it.feature} is {size} {higher} on average ({here} against {there})",
    }
    return words[it.what]


def odd(it: Odd) -> str:
    """A device or cohort with what sets it apart."""
    return f"{it.name}: {'; '.join(difference(d) for d in it.differences)}"


def _sentence(verdict: FleetVerdict) -> str:
    match verdict.who:
        case Who.DEVICES:
            return f"{_names([o.name for o in verdict.devices])} {_is(verdict.devices)} odd"
        case Who.COHORTS:
            plural = "cohorts" if len(verdict.cohorts) > 1 else "cohort"
            names = _names([o.name for o in verdict.cohorts])
            return f"{plural} {names} {'have' if len(verdict.cohorts) > 1 else 'has'} moved"
        case Who.FLEET:
            return "the whole fleet has moved"
        case Who.NOBODY:
            return "nobody has moved"
        case _:
            return "drift is seen, and it cannot be told yet whether it is a device or the world"


def _found(verdict: FleetVerdict) -> list[str]:
    found = [f"cohort {odd(it)}" for it in verdict.cohorts[:_NAMED]]
    found += [odd(it) for it in verdict.devices[:_NAMED]]
    left = len(verdict.devices) - _NAMED
    return [*found, f"and {left} devices more"] if left > 0 else found


def _missing(verdict: FleetVerdict, found: Apart) -> list[str]:
    """What it rests on, and why it could not be more."""
    said = f"{len(verdict.moved)} of {verdict.judged} devices have moved from the reference"
    all_ = "those that are not odd" if verdict.devices else "all of them"
    reasons = [f"{said}; {all_} together reach {verdict.ratio:.2f} of the threshold"]
    if verdict.judged < _FEWEST:
        reasons.append(
            f"{verdict.judged} devices have rows enough: {_FEWEST} are needed to tell a device "
            "from the world"
        )
    elif found.crowd:
        reasons.append(
            f"{len(found.crowd)} devices are apart from each other, too many to call one of them "
            f"odd: {_names(found.crowd)}"
        )
    elif verdict.who is Who.UNDECIDED:
        reasons.append(
            "no device is apart from the others beyond chance (the nearest to it by "
            f"{found.likeliest:.1g})"
        )
    if verdict.unjudged:
        reasons.append(f"too few rows yet of {_names(verdict.unjudged)}")
    if verdict.silent:
        reasons.append(
            f"no window for so long that it cannot be compared: {_names(verdict.silent)}"
        )
    if verdict.silent_alarmed:
        reasons.append(f"the last window of {_names(verdict.silent_alarmed)} saw drift")
    if len(verdict.silent) > verdict.judged:
        reasons.append(
            f"{verdict.judged} of {verdict.judged + len(verdict.silent)} devices can be compared: "
            "too few to speak of the whole fleet"
        )
    return reasons


def _is(devices: list[Odd]) -> str:
    return "is" if len(devices) == 1 else "are"


def _names(names: list[str]) -> str:
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
