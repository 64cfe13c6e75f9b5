"""Has a predictor send samples, with a budget that nothing reaches unless it is given."""

from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.sample_budget import SampleBudget
from fleetloop_shared.sampling import SamplingPolicy

PLENTY = 1_000_000_000_000


def granted(bytes_per_day: int = PLENTY) -> SampleBudget:
    """A full bucket, of which a grant is given."""
    budget = SampleBudget.full(bytes_per_day, 0.0)
    budget.grant(budget.set_apart(0.0))
    return budget


def sample_all(predictor: Predictor, share: float = 1.0) -> None:
    """Have this share of the rows sent."""
    predictor.sample(SamplingPolicy(random_share=share, bytes_per_day=PLENTY), granted())
