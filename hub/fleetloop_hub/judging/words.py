"""Says a comparison, and a judgement, in plain sentences with units."""

import math

import msgspec

from fleetloop_hub.judgement_records import Comparison, Finding, Judgement
from fleetloop_hub.judging.measures import Measure

_SHOWN = 3
_ENDS = {
    Finding.HARMFUL: "worse, and by more than the limit",
    Finding.HEALTHY: "worse by more than the limit is excluded",
    Finding.UNDECIDED: "not to be told yet",
}


def sentence(compared: Comparison, measure: Measure, *, by_past: bool) -> Comparison:
    """The comparison with its text."""
    place = f"on {compared.hardware}, " if compared.hardware else ""
    here = _side(compared.treated, compared.treated_rows, measure)
    there = _side(compared.control, compared.control_rows, measure)
    beside = "each device's own past (weaker evidence: no control is left)" if by_past else there
    text = f"{place}{measure.words}: {here}, beside {beside}"
    if compared.difference is not None:
        unit = compared.unit
        text += f": {_amount(compared.difference, unit)} worse"
        text += f" ({_end(compared.low, unit)} to {_end(compared.high, unit)}"
        text += ")" if compared.limit is None else f", limit {_amount(compared.limit, unit)})"
    end = "shown, not judged" if compared.limit is None else _ENDS[compared.finding]
    return msgspec.structs.replace(compared, text=f"{text}: {end}")


def overall(
    finding: Finding, found: list[Comparison], against: list[str], hardware: list[str]
) -> Judgement:
    """The judgement with its text."""
    deciding = [c for c in found if c.finding is finding]
    if finding is Finding.HARMFUL:
        told = f"harmful on {', '.join(hardware)}: "
        told += "; ".join(c.text for c in deciding[:_SHOWN])
    elif finding is Finding.HEALTHY:
        told = f"healthy: {', '.join(c.measure for c in deciding if not c.hardware)} are within "
        told += "their limits"
    elif not found:
        told = "undecided: no treated device has reported yet"
    else:
        told = "undecided: not enough is known yet to tell"
        if against:
            verb = "speaks" if len(against) == 1 else "speak"
            told = f"undecided, but {', '.join(against)} {verb} against it"
    return Judgement(
        finding=finding, text=told, comparisons=found, hardware=hardware, speaks_against=against
    )


def _side(value: float | None, rows: int, measure: Measure) -> str:
    if value is None:
        return "nothing of the control"
    return f"{measure.figure(value)} of {rows:,} {measure.of}"


def _amount(value: float, unit: str) -> str:
    return f"{value:.2f} times" if unit == "x" else f"{value:.2f} {unit}"


def _end(value: float | None, unit: str) -> str:
    if value is None:
        return "no end"
    return f"{value:.2f}" if math.isfinite(value) and unit else "no end"
