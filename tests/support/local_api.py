"""A local endpoint on a free port of this machine."""

from collections.abc import Callable
from typing import Any

from fleetloop_agent.http_config import HttpConfig
from fleetloop_agent.serving.api import LocalApi
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.serving.routes import Routes


def local_api(
    predictor: Predictor,
    status: Callable[[], object] = dict,
    **http: Any,  # noqa: ANN401  # settings of different types
) -> LocalApi:
    """An endpoint that is not started yet.

    Args:
        predictor: Who answers.
        status: What it tells of the agent.
        **http: Settings that are not the usual ones.
    """
    config = HttpConfig(**{"port": 0, **http})
    return LocalApi(Routes(predictor, status, config), config)
