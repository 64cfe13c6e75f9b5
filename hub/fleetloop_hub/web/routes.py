"""Every route of the application: the API for programs, the pages for people."""

from pathlib import Path
from typing import Protocol

from flask import Blueprint

from fleetloop_hub.alerting.book import AlertBook
from fleetloop_hub.config import OpenIdProvider
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.errors import ConfigError
from fleetloop_hub.metrics.meter import Meter
from fleetloop_hub.monitoring.fairness_reader import FairnessReader
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.notifying.channels import ChannelDesk
from fleetloop_hub.people.accounts import Accounts
from fleetloop_hub.people.tokens import ApiTokens
from fleetloop_hub.ports import Audit, Blobs, Catalog, Telemetry
from fleetloop_hub.simulating.desk import SimulationDesk
from fleetloop_hub.storage.answers import KeptAnswers
from fleetloop_hub.tracking.approvals import Approvals
from fleetloop_hub.tracking.shelf import Shelf
from fleetloop_hub.trust.trust import Trust
from fleetloop_hub.web import (
    accuracy_routes,
    api,
    api_alerts,
    api_approvals,
    api_artifacts,
    api_cards,
    api_channels,
    api_data,
    api_import,
    api_keys,
    api_labels,
    api_models,
    api_rollouts,
    api_runs,
    api_shadows,
    fairness_routes,
    metrics_routes,
    openapi_routes,
    search_routes,
    why_routes,
)
from fleetloop_hub.web.actions import HubActions
from fleetloop_hub.web.api_people import people_api, tokens_api
from fleetloop_hub.web.api_waiting import waiting_api
from fleetloop_hub.web.pages.alerts import alerts_pages
from fleetloop_hub.web.pages.attempts import attempts_pages
from fleetloop_hub.web.pages.channels import channels_pages
from fleetloop_hub.web.pages.data import data_pages, labels_pages
from fleetloop_hub.web.pages.decisions import decisions_pages
from fleetloop_hub.web.pages.device import device_pages
from fleetloop_hub.web.pages.devices import devices_pages
from fleetloop_hub.web.pages.enrol import enrol_pages
from fleetloop_hub.web.pages.interface import interface_pages
from fleetloop_hub.web.pages.models import models_pages
from fleetloop_hub.web.pages.monitoring import monitoring_pages
from fleetloop_hub.web.pages.overview import overview_pages
from fleetloop_hub.web.pages.people import audit_pages, people_pages, tokens_pages
from fleetloop_hub.web.pages.places import places_pages
from fleetloop_hub.web.pages.retraining import retraining_pages
from fleetloop_hub.web.pages.rollout_new import rollout_new_pages
from fleetloop_hub.web.pages.rollouts import rollouts_pages
from fleetloop_hub.web.pages.runs import runs_acts, runs_pages
from fleetloop_hub.web.pages.sayings import sayings_pages
from fleetloop_hub.web.pages.shadows import shadows_pages
from fleetloop_hub.web.pages.sign_in import account_pages, sign_in_pages
from fleetloop_hub.web.pages.system import system_pages


class HubParts(Protocol):
    """What of a running hub the web needs."""

    @property
    def actions(self) -> HubActions:
        """What can be asked of it."""

    @property
    def catalog(self) -> Catalog:
        """Its documents."""

    @property
    def additions(self) -> Additions:
        """Dataset versions being built."""

    @property
    def approvals(self) -> Approvals:
        """What people say to versions."""

    @property
    def audit(self) -> Audit:
        """Who did what."""

    @property
    def trust(self) -> Trust:
        """What it signs, and its keys."""

    @property
    def telemetry(self) -> Telemetry:
        """What its devices say."""

    @property
    def blobs(self) -> Blobs:
        """Its content."""

    @property
    def answers(self) -> KeptAnswers:
        """What was answered to requests that are not to be done twice."""

    @property
    def state_dir(self) -> Path:
        """The folder with all that it keeps."""

    @property
    def alerts(self) -> AlertBook:
        """What wants attention."""

    @property
    def channels(self) -> ChannelDesk:
        """Where it is told."""

    @property
    def meter(self) -> Meter:
        """What it counts while it runs."""


def programs(hub: HubParts, overviews: OverviewReader, fairness: FairnessReader) -> list[Blueprint]:
    """The API, and for now the pages that share a module with their part of it."""
    shelf = Shelf(hub.catalog, hub.telemetry, hub.blobs, hub.actions.held())
    return [
        metrics_routes.metrics_routes(hub.meter, hub.catalog, hub.telemetry),
        api.reading(hub.catalog, hub.telemetry, overviews, hub.actions),
        api_artifacts.artifacts(hub.catalog, hub.blobs),
        api.enrolling(hub.actions),
        api.changing(hub.actions),
        api_runs.reading_runs(hub.catalog, hub.blobs),
        api_runs.changing_runs(hub.actions),
        api_data.reading_data(hub.catalog),
        api_data.changing_data(hub.catalog, hub.blobs, hub.additions),
        api_labels.reading_labels(hub.catalog, hub.telemetry),
        api_labels.changing_labels(hub.catalog, hub.telemetry, hub.actions),
        api_cards.cards(hub.catalog, hub.blobs),
        accuracy_routes.accuracy_routes(hub.catalog, hub.telemetry, hub.blobs),
        fairness_routes.fairness_routes(hub.catalog, fairness),
        api_approvals.changing_approvals(hub.actions, hub.catalog, hub.approvals, hub.audit),
        api_keys.reading_keys(hub.trust),
        api_keys.changing_keys(hub.actions, hub.trust),
        api_shadows.reading_shadows(hub.catalog, hub.telemetry),
        api_shadows.changing_shadows(hub.actions),
        api_import.importing(hub.actions, hub.blobs),
        api_models.reading_models(hub.catalog, shelf),
        api_models.changing_models(hub.actions, shelf),
        why_routes.why_routes(hub.catalog, hub.blobs),
        api_rollouts.reading_rollouts(hub.catalog),
        api_rollouts.changing_rollouts(hub.catalog, hub.actions),
        api_alerts.reading_alerts(hub.alerts),
        api_alerts.changing_alerts(hub.alerts),
        api_channels.reading_channels(hub.channels),
        api_channels.changing_channels(hub.channels),
        openapi_routes.openapi_routes(),
        search_routes.search_routes(hub.catalog),
    ]


def people(hub: HubParts, overviews: OverviewReader) -> list[Blueprint]:
    """The pages, and what of the API shares something with them."""
    desk = SimulationDesk(hub.state_dir / "data" / "simulation")
    shelf = Shelf(hub.catalog, hub.telemetry, hub.blobs, hub.actions.held())
    return [
        overview_pages(overviews, hub.catalog, hub.actions, hub.trust),
        interface_pages(),
        attempts_pages(overviews, hub.catalog),
        system_pages(hub.catalog, hub.telemetry, hub.actions, hub.meter, hub.state_dir),
        devices_pages(overviews),
        device_pages(hub.catalog, hub.telemetry, overviews),
        enrol_pages(hub.catalog, overviews, hub.actions),
        rollouts_pages(hub.catalog, hub.telemetry, hub.blobs, hub.actions),
        rollout_new_pages(hub.catalog, hub.actions),
        places_pages(hub.catalog, hub.telemetry, hub.actions),
        shadows_pages(hub.catalog, hub.telemetry, hub.actions),
        monitoring_pages(hub.catalog, hub.telemetry, hub.blobs, overviews),
        models_pages(hub.catalog, hub.blobs, overviews, shelf),
        sayings_pages(hub.actions, hub.approvals, shelf),
        decisions_pages(hub.catalog),
        retraining_pages(hub.catalog, hub.blobs, desk),
        waiting_api(hub.catalog, hub.telemetry, hub.blobs, desk),
        data_pages(hub.catalog, hub.blobs),
        labels_pages(hub.catalog, hub.telemetry, hub.blobs),
        runs_pages(hub.catalog, hub.blobs, hub.actions),
        runs_acts(hub.catalog, hub.actions),
        alerts_pages(hub.alerts),
        channels_pages(hub.channels),
    ]


def access(accounts: Accounts, tokens: ApiTokens, audit: Audit) -> list[Blueprint]:
    """Who may come in, for programs and for people."""
    return [
        people_api(accounts),
        tokens_api(tokens),
        sign_in_pages(accounts, audit),
        account_pages(accounts, audit),
        people_pages(accounts),
        tokens_pages(tokens),
        audit_pages(audit),
    ]


def elsewhere(
    accounts: Accounts, audit: Audit, provider: OpenIdProvider | None, url: str
) -> list[Blueprint]:
    """Signing in with an OpenID provider, where there is one.

    Raises:
        ConfigError: What speaks with it is not installed.
    """
    if provider is None:
        return []
    try:
        from fleetloop_hub.web.pages.elsewhere import elsewhere_pages  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise ConfigError(
            f"signing in with an OpenID provider needs what is not installed ({error.name}): "
            "pip install 'fleetloop-hub[oidc]'"
        ) from error
    return [elsewhere_pages(accounts, audit, provider, url)]
