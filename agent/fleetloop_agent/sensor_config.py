"""What a person tells the agent about sensors that speak MQTT: the table `[mqtt]`."""

from pathlib import Path
from typing import Annotated

import msgspec

from fleetloop_agent.topic_pattern import TopicFilter, TopicPattern
from fleetloop_shared import endpoint
from fleetloop_shared.errors import AddressError


class SensorConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A broker on which sensors publish rows, and where the answers go.

    Attributes:
        broker: `mqtt://host:port`, or `mqtts://…` for TLS. Never the hub's broker by default: it
            lets a device read no topics but the hub's.
        input: Topic filter of the rows, such as `sensors/+/reading`.
        output: Topic of the answers; `{0}` is what stood for the first `+`.
        refusals: Topic on which a payload that is no row is answered with the reason; None: it is
            only counted.
        presence: Retained topic that says whether the agent is there, also as its last will.
        username: For the broker; "" comes without one.
        password_file: File that holds the password and nothing else; relative to the config file.
        ca_file: PEM file to check the broker's certificate against, instead of the system's.
        qos: Of the subscription and of answers: 0 or 1.
        queue: Messages that wait for their answers; beyond it the oldest is dropped and counted.
        answer_retained: Whether a row that the broker has kept is answered: it may be old.
    """

    broker: str
    input: str
    output: str
    refusals: str | None = None
    presence: str | None = None
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    qos: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0
    queue: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1_000
    answer_retained: bool = False

    def __post_init__(self) -> None:
        """Check the parts against each other.

        Raises:
            ValueError: They contradict each other, or an answer would be taken for a row.
        """
        try:
            address = endpoint.parse(self.broker)
        except AddressError as error:
            raise ValueError(f"broker: {error}") from error
        if address.username or address.password:
            raise ValueError("broker: write the name as username, the password into password_file")
        rows = TopicFilter(self.input)
        for name, text in self.outputs.items():
            if TopicPattern(text, 0 if name == "presence" else rows.places).may_meet(rows):
                raise ValueError(
                    f"{name} {text[:80]!r} may match input {self.input[:80]!r}: the agent would"
                    " answer itself for ever; use another topic"
                )
        if self.answer_retained and self.qos:
            raise ValueError(
                "answer_retained needs qos = 0: at 1 a broker is asked twice, and would have what"
                " it keeps answered twice"
            )

    def beside(self, folder: Path) -> "SensorConfig":
        """The same with its files in the folder, where they are not absolute."""
        return msgspec.structs.replace(
            self,
            password_file=folder / self.password_file if self.password_file else None,
            ca_file=folder / self.ca_file if self.ca_file else None,
        )

    @property
    def outputs(self) -> dict[str, str]:
        """The topics that are written to, by the names of their keys."""
        told = {"output": self.output, "refusals": self.refusals, "presence": self.presence}
        return {name: text for name, text in told.items() if text is not None}
