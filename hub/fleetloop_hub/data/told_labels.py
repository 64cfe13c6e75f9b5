"""Labels that people and programs tell the hub, for predictions that devices have made.

By a file, the API or MQTT, they go the same way: each is checked, joined to its row or kept until
that comes, and whoever told it hears what has become of it.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import LabelFate
from fleetloop_shared.ids import CHALLENGER_BOOTS
from fleetloop_shared.label_messages import LabelReceipt, RefusedLabel
from fleetloop_shared.reports import Label

AHEAD_S = 300.0
"""A label may be so much ahead of the hub's clock: no two clocks agree."""

_UNSEEN_BOOTS = 1_000
"""A device that is not heard may have started so often since its last report."""

_SHOWN = 100
_TAKEN = {LabelFate.JOINED, LabelFate.WAITING, LabelFate.DUPLICATE}
_WORDS = {
    LabelFate.CONTRADICTING: "another label was told before, and stands",
    LabelFate.NO_CLASS: "it is no class of the version that answered",
}


class ToldLabel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The truth about a prediction.

    Attributes:
        prediction_id: Its id, as the device gave it: `station-1.4.1207`.
        label: What it should have been, as a number.
        at: When that became known, Unix seconds.
        device: Who made it; told by the id where it is left out.
    """

    prediction_id: Annotated[str, Meta(min_length=1, max_length=200)]
    label: Annotated[float, Meta(ge=-1e15, le=1e15)]
    at: Annotated[float, Meta(ge=0, le=1e12)]
    device: Annotated[str, Meta(max_length=200)] = ""


class LabelDesk:
    """Takes labels in. Safe to be called from many threads."""

    def __init__(
        self, telemetry: Telemetry, enrolled: Callable[[str], bool], now: Callable[[], float]
    ) -> None:
        """Nothing was told yet.

        Args:
            telemetry: Where labels go.
            enrolled: Whether there is such a device.
            now: The hub's clock, Unix seconds.
        """
        self._telemetry, self._enrolled, self._now = telemetry, enrolled, now

    def take(self, told: Sequence[ToldLabel], source: str, id_: str = "") -> LabelReceipt:
        """Keep labels; what came first of a prediction stands.

        Args:
            told: The labels.
            source: Who says so: "file", "api", or a label source. Refusals are counted for him.
            id_: Of the message they came in.

        Raises:
            DiskFullError: No room; none was kept.
        """
        now, boots = self._now(), dict[str, int]()
        wrong = [self._wrong(one, now, boots) for one in told]
        fine = [one for one, found in zip(told, wrong, strict=True) if found is None]
        pairs = [(_device(one), _label(one)) for one in fine]
        fates = iter(self._telemetry.label(pairs, source) if pairs else [])
        ends = [(next(fates), "") if found is None else found for found in wrong]
        for fate in (LabelFate.UNKNOWN, LabelFate.FUTURE):
            texts = [text for end, text in ends if end is fate]
            if texts:
                name = {LabelFate.UNKNOWN: "unknown-prediction"}.get(fate, "future-label")
                self._telemetry.refuse(source, name, texts[-1], "", len(texts))
        refused = [
            RefusedLabel(
                place=place,
                prediction_id=told[place].prediction_id,
                reason=fate,
                text=text or _WORDS[fate],
            )
            for place, (fate, text) in enumerate(ends)
            if fate not in _TAKEN
        ]
        counts = {fate: sum(end is fate for end, _ in ends) for fate in _TAKEN}
        return LabelReceipt(
            id=id_,
            joined=counts[LabelFate.JOINED],
            waiting=counts[LabelFate.WAITING],
            duplicate=counts[LabelFate.DUPLICATE],
            refused=refused[:_SHOWN],
            refused_count=len(refused),
        )

    def _wrong(
        self, one: ToldLabel, now: float, boots: dict[str, int]
    ) -> tuple[LabelFate, str] | None:
        """Why a label is not even looked up, None if it is."""
        if one.at > now + AHEAD_S:
            text = f"it is of {one.at - now:,.0f} s from now: check the clock of who tells it"
            return LabelFate.FUTURE, text
        device = _device(one)
        if not self._enrolled(device):
            return LabelFate.UNKNOWN, (
                f"{one.prediction_id[:80]!r} is of no enrolled device: ids look like station-1.4.7"
            )
        name, _, rest = one.prediction_id.partition(".")
        boot, _, answer = rest.partition(".")
        if name != device or not (_is_count(boot) and _is_count(answer)):
            return LabelFate.UNKNOWN, (
                f"{one.prediction_id[:80]!r} is no prediction id of {device}: those look like "
                f"{device}.4.7"
            )
        if device not in boots:
            boots[device] = self._telemetry.boot(device)
        if int(boot) % CHALLENGER_BOOTS > boots[device] + _UNSEEN_BOOTS:
            return LabelFate.UNKNOWN, f"{device} has not started {int(boot):,} times"
        return None


def _device(one: ToldLabel) -> str:
    return one.device or one.prediction_id.partition(".")[0]


def _label(one: ToldLabel) -> Label:
    number = int(one.label) if float(one.label).is_integer() else one.label
    return Label(prediction_id=one.prediction_id, label=number, at=one.at)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19  # noqa: PLR2004  # SQLite's whole numbers
