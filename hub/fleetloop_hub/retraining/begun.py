"""Retrainings that are decided, whose rows are being gathered."""

from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.advice import Advice
from fleetloop_hub.retraining.evidence import Evidence

Decided = tuple[Advice, Evidence]
"""What was advised, and on what evidence."""

_OUTWEIGHS = frozenset({Verdict.RETRAIN, Verdict.ROLL_BACK})


class Begun:
    """What was decided stands for the seconds or minutes that gathering takes.

    Evidence goes on moving meanwhile; were it asked again at the end, a trigger that rests for one
    look would throw away what was gathered.
    """

    def __init__(self) -> None:
        """Nothing is being gathered."""
        self._decided: dict[str, tuple[int, Decided]] = {}

    def stands(self, model: str, champion: int, advice: Advice, evidence: Evidence) -> Decided:
        """What was decided before, else what is advised now.

        Args:
            model: The model.
            champion: The version in the field; what was decided about another one is over.
            advice: Of now.
            evidence: Of now.
        """
        before, decided = self._decided.get(model, (champion, (advice, evidence)))
        over = before != champion or evidence.busy is not None or advice.verdict in _OUTWEIGHS
        if over:
            self.drop(model)
        return (advice, evidence) if over else decided

    def keep(self, model: str, champion: int, advice: Advice, evidence: Evidence) -> None:
        """Its rows are being gathered."""
        self._decided[model] = champion, (advice, evidence)

    def drop(self, model: str) -> None:
        """It is gathered, or will never be."""
        self._decided.pop(model, None)
