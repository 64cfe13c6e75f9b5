"""`POST /predict`: rows as people write them, features by name, answers with all probabilities."""

import msgspec

from fleetloop_agent.errors import InputError
from fleetloop_agent.serving.intake import Row
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.records import Answer, Answered
from fleetloop_agent.serving.responses import Response, as_json
from fleetloop_shared.manifest import Manifest

_decode = msgspec.json.Decoder().decode


class _Told(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """An answer with its probabilities by class; see `Answer`."""

    prediction_id: str
    label: int | float
    score: float
    model: str
    version: int
    artifact: str
    class_name: str | None = None
    probabilities: dict[str, float] = {}


class NamedRows:
    """Answers one row, `{feature: value, ...}`, or many, `{"rows": [...]}`, of one `"key"`."""

    def __init__(self, predictor: Predictor, max_rows: int) -> None:
        """Answer from a predictor.

        Args:
            predictor: Who answers rows.
            max_rows: The most rows of one request.
        """
        self._predictor = predictor
        self._max_rows = max_rows
        self._classes: tuple[Manifest | None, list[str]] = None, []

    def answer(self, body: bytes) -> Response:
        """The answer to the row, or `{"answers": [...]}` to the rows in a body.

        Raises:
            InputError: These are not the model's inputs, or too many.
            ModelError: The model failed on them.
            NoModelError: Nothing is loaded yet.
        """
        given = _decode(body)
        if type(given) is not dict:
            raise InputError('send one row as {feature: value, ...}, or {"rows": [...]}')
        rows = given.get("rows")
        key = given.get("key") if type(rows) is list else None
        if type(rows) is not list or len(given) != 1 + (key is not None):
            return as_json(self._one(given))
        if key is not None and type(key) is not str:
            raise InputError(f'"key" is of type {type(key).__name__}; give a text')
        if len(rows) > self._max_rows:
            raise InputError(f"{len(rows):,} rows; send {self._max_rows:,} at most in one request")
        return as_json({"answers": self._told(self._predictor.answer(rows, key=key))})

    def told(self, rows: list[Row], *, many: bool, key: str | None = None) -> bytes:
        """JSON of the answers to rows: of the one answer, or of `{"answers": [...]}`.

        Args:
            rows: The rows.
            many: Whether a list was asked for.
            key: Whose rows these are.

        Raises:
            InputError: These are not the model's inputs.
            ModelError: The model failed on them.
            NoModelError: Nothing is loaded yet.
        """
        answers = self._told(self._predictor.answer(rows, key=key))
        return msgspec.json.encode({"answers": answers} if many else answers[0])

    def _one(self, row: dict[str, object]) -> _Told:
        try:
            return self._told(self._predictor.answer([row]))[0]
        except InputError:
            if row.keys() == {"rows"} and not self._knows_rows():
                kind = type(row["rows"]).__name__
                raise InputError(f'"rows" is of type {kind}; give a list of rows') from None
            raise

    def _knows_rows(self) -> bool:
        """Whether the model has a feature of this name."""
        manifest = self._predictor.manifest
        return manifest is not None and "rows" in {f.name for f in manifest.signature.features}

    def _told(self, answered: Answered) -> list[_Told]:
        manifest, classes = self._classes
        if manifest is not answered.manifest:
            signature = answered.manifest.signature
            classes = signature.class_names or [str(number) for number in signature.classes]
            self._classes = answered.manifest, classes
        return [_with_names(answer, classes) for answer in answered.each()]


def _with_names(answer: Answer, classes: list[str]) -> _Told:
    return _Told(
        answer.prediction_id,
        answer.label,
        answer.score,
        answer.model,
        answer.version,
        answer.artifact,
        answer.class_name,
        dict(zip(classes, answer.probabilities, strict=True)),
    )
