"""What console, API and command line ask the hub to do, as promises."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NotRequired, TypedDict

from fleetloop_hub.run_parts import Imported
from fleetloop_hub.spec.shadow_table import ShadowTerms
from fleetloop_hub.verdict_records import FleetVerdict
from fleetloop_hub.web.rollout_actions import RolloutActions
from fleetloop_shared.messages import EnrolAnswer, EnrolRequest


class HubStatus(TypedDict):
    """How the running hub is; nothing of it outlives the process.

    Attributes:
        broker: Address of the broker, `mqtt://host:port`.
        broker_kind: What it is, in words.
        broker_retains: Whether it keeps retained messages.
        egress_bytes: What the hub has sent to the broker since it started.
        reports_stored: Reports of devices that are kept.
        uptime_s: Since the hub started.
        training: What the running training is at, in words; None if none runs.
        training_share: How much of it is done, 0 to 1; None if none runs.
        training_left_s: Seconds that candidates may still take; None while nobody knows.
    """

    broker: str
    broker_kind: str
    broker_retains: bool
    egress_bytes: int
    reports_stored: int
    uptime_s: float
    training: str | None
    training_share: NotRequired[float | None]
    training_left_s: NotRequired[float | None]


class LabelAccount(TypedDict):
    """What a label source needs to know.

    Attributes:
        broker: Address, `mqtt://host:port`.
        username: For the broker.
        password: For the broker.
        topic: Where it says labels, as a `LabelMessage`.
        receipts: Where it hears what has become of them, as a `LabelReceipt`.
    """

    broker: str
    username: str
    password: str
    topic: str
    receipts: str


class HubActions(ABC):
    """The hub as a person or a new device meets it. Safe to be called from many threads."""

    @abstractmethod
    def enrol(self, request: EnrolRequest) -> EnrolAnswer:
        """Admit a new device; its one-time token is used up when this returns.

        Raises:
            EnrolError: The token is unknown, used or expired, or the name is taken.
        """

    @abstractmethod
    def new_token(self, cohort: str, expires_s: float) -> str:
        """A one-time enrolment token, `<secret>.<fingerprint of the hub's keys>`.

        Args:
            cohort: Where the device will belong.
            expires_s: Seconds until it is void.
        """

    @abstractmethod
    def label_source(self, name: str) -> LabelAccount:
        """An account at the broker that may tell labels; the same one if it is there already.

        Raises:
            EnrolError: A device is called so, or it is no name.
        """

    @abstractmethod
    def add_model(self, spec_text: str, folder: Path) -> str:
        """Take in a model spec and make a dataset version of its CSV; returns the model's name.

        Args:
            spec_text: The spec, TOML.
            folder: What the spec's CSV path is relative to, on the hub's machine.

        Raises:
            SpecError: The spec does not say what it should.
            DataError: The CSV cannot be used.
        """

    @abstractmethod
    def train(
        self, model: str, trigger: str, reason: str, by: str = "", imported: Imported | None = None
    ) -> str:
        """Start a run in a process of its own, or queue it; returns its key without waiting.

        Args:
            model: The model's name.
            trigger: What led to it: "person", "drift", "accuracy".
            reason: Why, in words, for the decision log.
            by: The person's name, if one has asked.
            imported: A file among the blobs to take in instead of training candidates.

        Raises:
            AbsentError: No such model.
            TrainingError: A run of it waits already.
        """

    @abstractmethod
    def reproduce(self, run: str, by: str) -> str:
        """Start to train a run once more, as its record says; returns the key of the new run.

        Args:
            run: The run that is to be done again.
            by: Who has asked.

        Raises:
            AbsentError: No such run.
            TrainingError: Nothing to compare with, what it was made of is gone, or
                another run is under way.
        """

    @abstractmethod
    def cancel(self, run: str, by: str) -> None:
        """End a run that is under way, or has not begun; nothing of it is used.

        Args:
            run: Its key.
            by: Who has asked.

        Raises:
            AbsentError: No such run.
            TrainingError: It is over.
        """

    @abstractmethod
    def allow(self, run: str, by: str, reason: str) -> None:
        """A person agrees to a run that waits for that.

        Args:
            run: Its key.
            by: Who agrees.
            reason: Why.

        Raises:
            TrainingError: It does not wait.
        """

    @abstractmethod
    def held(self) -> AbstractContextManager[object]:
        """Nothing that the hub does of itself happens while this is held."""

    @abstractmethod
    def roll_out(
        self, model: str, version: int, cohort: str, *, where: str = "", replacing: bool = False
    ) -> str:
        """Begin to move a cohort to a version; returns the rollout's key.

        Args:
            model: The model.
            version: Its number.
            cohort: Who gets it.
            where: Label query that says which of its devices; "" is all.
            replacing: Whether it may take the place of another model; a device runs one.

        Raises:
            AbsentError: No such version.
            GateError: A gate blocks it, or another model would have to go.
        """

    @property
    @abstractmethod
    def rollouts(self) -> RolloutActions:
        """What can be asked of rollouts while the hub is `held`."""

    @abstractmethod
    def start_shadow(self, model: str, version: int, cohort: str, terms: ShadowTerms) -> None:
        """Have a version run beside the champion of a cohort, which goes on answering.

        Args:
            model: The model.
            version: Its number.
            cohort: On whose devices.
            terms: What is wanted otherwise than the spec says.

        Raises:
            GateError: It may not go to devices, or there is nothing that it could run beside.
        """

    @abstractmethod
    def stop_shadow(self, model: str, version: int, cohort: str) -> None:
        """Have it run there no more.

        Raises:
            GateError: It does not.
        """

    @abstractmethod
    def status(self) -> HubStatus:
        """How the hub is."""

    @abstractmethod
    def moved(self) -> list[FleetVerdict]:
        """Who has moved, of the devices that serve each model's champion."""
