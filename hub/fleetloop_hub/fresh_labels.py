"""Reads on in the labels that have met their rows, so that a look costs what is new and no more."""

from collections import deque
from collections.abc import Iterable, Iterator

from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_shared.estimate.betting import LabelTest
from fleetloop_shared.estimate.records import AccuracyReference, LabelEvidence
from fleetloop_shared.ids import bucket

_VERSIONS = 8
_BUCKETS = 10_000


class FreshLabels:
    """The labelled rows that one version has answered, each told once, drawn as by `evenly`."""

    def __init__(self, telemetry: Telemetry, model: str, version: int) -> None:
        """Begin before the first.

        Args:
            telemetry: Where they are kept.
            model: The model.
            version: The version that has answered.
        """
        self._telemetry, self._model, self._version = telemetry, model, version
        self._after, self._least = 0, 1.0

    def read(self) -> tuple[bool, list[LabelledSample]]:
        """What is new, in the order in which labels have met their rows.

        Returns:
            Whether all were told anew, since a row came that was less likely to be sent than any
            before; and the rows.
        """
        fresh = self._all()
        least = min((s.sample.probability or 1.0 for s in fresh), default=1.0)
        anew = least < self._least
        if anew:
            self._least, self._after = least, 0
            fresh = self._all()
        return anew, list(evenly(fresh, self._least))

    def _all(self) -> list[LabelledSample]:
        read: list[LabelledSample] = []
        while True:
            found, self._after = self._telemetry.labelled_after(
                self._model, self._after, version=self._version
            )
            read += found
            if not found:
                return read


class LabelTests:
    """The test of each version's labels, carried on; for one thread at a time."""

    def __init__(self, telemetry: Telemetry) -> None:
        """No label was seen yet."""
        self._telemetry = telemetry
        self._tests: dict[str, tuple[AccuracyReference, FreshLabels, LabelTest]] = {}
        self._newest: deque[str] = deque()

    def weigh(self, model: str, version: int, reference: AccuracyReference) -> LabelEvidence | None:
        """What all labels of a version say up to now, None without labels.

        Args:
            model: The model.
            version: The version that has answered.
            reference: What its devices know about its accuracy.
        """
        key = f"{model}/{version}"
        known, fresh, test = self._tests.get(key) or self._begin(key, model, version, reference)
        if known != reference:
            known, fresh, test = self._begin(key, model, version, reference)
        anew, labelled = fresh.read()
        if anew:
            test = LabelTest(reference)
            self._tests[key] = reference, fresh, test
        for one in labelled:
            test.add(one.sample.label, one.label.label)
        evidence = test.evidence()
        return evidence if evidence.labels else None

    def _begin(
        self, key: str, model: str, version: int, reference: AccuracyReference
    ) -> tuple[AccuracyReference, FreshLabels, LabelTest]:
        fresh = FreshLabels(self._telemetry, model, version)
        begun = self._tests[key] = reference, fresh, LabelTest(reference)
        self._newest.append(key)
        if len(self._newest) > _VERSIONS:
            self._tests.pop(self._newest.popleft(), None)
        return begun


def evenly(samples: Iterable[LabelledSample], least: float) -> Iterator[LabelledSample]:
    """Some of these samples, drawn so that every row was as likely to be among them.

    A test that takes each label for one of all rows needs such a choice. Where all were sent with
    one probability, all are taken.

    Args:
        samples: They.
        least: The smallest probability among them; each is kept with this by its own.
    """
    for one in samples:
        chance = one.sample.probability
        if chance is None:
            continue
        drawn = bucket(f"{one.device}\x00{one.sample.prediction_id}", "evenly")
        if drawn < _BUCKETS * least / chance:
            yield one
