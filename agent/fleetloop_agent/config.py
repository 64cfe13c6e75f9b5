"""What a person tells the agent: one TOML file, read once."""

import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from fleetloop_agent.errors import ConfigError
from fleetloop_agent.hours import Hours
from fleetloop_agent.http_config import SHOWN_FORM, HttpConfig
from fleetloop_agent.sensor_config import SensorConfig
from fleetloop_shared import label_query
from fleetloop_shared.ids import NAME

_NAME_FORM = rf"^{NAME}\Z"
_URL_FORM = "^https?://"
_LABEL_FORM = rf"^{label_query.NAME}\Z"
_VALUE_FORM = rf"^[^\"'\x00-\x1f]{{1,{label_query.LONGEST_VALUE}}}\Z"

Name = Annotated[str, msgspec.Meta(pattern=_NAME_FORM)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Label = Annotated[str, msgspec.Meta(pattern=_LABEL_FORM)]
LabelValue = Annotated[str, msgspec.Meta(pattern=_VALUE_FORM)]


class ServingConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How models answer.

    Attributes:
        deadline_s: Seconds that a model may take for a call before it is told to end; the rows are
            answered with an error then. A large call is cut into runs, and each may take so long.
    """

    deadline_s: Positive = 10.0


class FetchConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How artifacts are fetched.

    Attributes:
        window: Chunks that are asked for at the same time.
        max_bytes_per_s: The fastest average pace, None for no limit.
        stall_s: Seconds without a chunk after which the hub is asked for it.
    """

    window: Annotated[int, msgspec.Meta(ge=1, le=64)] = 8
    max_bytes_per_s: Annotated[int, msgspec.Meta(ge=1)] | None = None
    stall_s: Positive = 5.0


class ReportConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is reported, and how much of it is kept while the hub is away.

    Attributes:
        health_interval_s: Seconds between two health reports.
        resend_s: Seconds after which an unacknowledged report is sent again.
        outbox_records: The most reports that are kept.
        outbox_bytes: The most bytes of reports that are kept.
    """

    health_interval_s: Positive = 60.0
    resend_s: Positive = 5.0
    outbox_records: Annotated[int, msgspec.Meta(ge=1)] = 100_000
    outbox_bytes: Annotated[int, msgspec.Meta(ge=1)] = 64 * 1024 * 1024


class UpdateConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a fetched model may be tried; fetching itself goes on at any time.

    Attributes:
        window: Hours of the week in local time in which a trial may begin; always by default.
        lock_file: While an application keeps this file, no trial begins; relative to the config
            file. None: no application can ask to wait.
        lock_max_s: Seconds without being touched, after which the file is left over from an
            application that has crashed: it is ignored and reported.
    """

    window: Hours = Hours()
    lock_file: Path | None = None
    lock_max_s: Positive = 3_600.0


class AgentConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The agent's settings.

    Attributes:
        device: The device's name.
        hardware: Its hardware type, compared with what a release is for.
        state_dir: Folder for models, journal and outbox; relative to the config file.
        hub_url: Where the device enrols.
        enrol_token: `<secret>.<fingerprint>`, needed once.
        serving: How models answer.
        http: The local endpoint.
        fetch: How artifacts are fetched.
        report: What is reported.
        update: When a fetched model may be tried.
        mqtt: Where sensors publish rows, None: they do not.
        labels: What this device is called in label queries, beside its name and hardware type.
    """

    device: Name
    hardware: str
    state_dir: Path
    hub_url: Annotated[str, msgspec.Meta(pattern=_URL_FORM)]
    enrol_token: str | None = None
    serving: ServingConfig = ServingConfig()
    http: HttpConfig = HttpConfig()
    fetch: FetchConfig = FetchConfig()
    report: ReportConfig = ReportConfig()
    update: UpdateConfig = UpdateConfig()
    mqtt: SensorConfig | None = None
    labels: Annotated[dict[Label, LabelValue], msgspec.Meta(max_length=32)] = {}

    def __post_init__(self) -> None:
        """Refuse labels that every device has already."""
        for name in sorted(label_query.BUILT_IN & self.labels.keys()):
            raise ValueError(f"labels.{name} is the device's {name} already: take it out")


def read(path: Path) -> AgentConfig:
    """The settings in a file.

    Raises:
        ConfigError: No such file, not TOML, or a key with a value that cannot be.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    try:
        told = tomllib.loads(text)
        config = msgspec.convert(told, AgentConfig, dec_hook=_read)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}; mend that line") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_remedy(str(error))}") from error
    _check_one_place(path, told.get("http", {}))
    beside, update = path.resolve().parent, config.update
    if update.lock_file is not None:
        update = msgspec.structs.replace(update, lock_file=beside / update.lock_file)
    return msgspec.structs.replace(
        config,
        state_dir=beside / config.state_dir,
        update=update,
        http=config.http.beside(beside),
        mqtt=config.mqtt.beside(beside) if config.mqtt is not None else None,
    )


def _check_one_place(path: Path, http: dict[str, object]) -> None:
    """Refuse an address beside a Unix socket: nothing would listen there."""
    also = [f"http.{key}" for key in ("host", "port") if key in http]
    if "unix_socket" in http and also:
        raise ConfigError(
            f"{path}: nothing would listen on {' and '.join(also)}, since http.unix_socket is"
            " there: take one of them out"
        )


def _read(kind: type, value: object) -> Path | Hours:
    if kind is Hours:
        return Hours.parse(value)
    if not isinstance(value, str) or not value:
        raise ValueError("Expected a path, as text")
    return Path(value)


_FORMS = {
    f"Expected `str` matching regex {form!r}": f"Expected {words}"
    for form, words in (
        (SHOWN_FORM, "16 to 256 printable characters without blanks"),
        (_NAME_FORM, "1 to 64 characters of a-z 0-9 _ -"),
        (_URL_FORM, "an address that begins with http:// or https://"),
        (_LABEL_FORM, "a label's name of 1 to 64 characters of a-z 0-9 _ -, a letter first"),
        (_VALUE_FORM, "1 to 100 characters without quotes"),
    )
}


def _remedy(problem: str) -> str:
    what, _, where = problem.partition(" - at ")
    key = where.strip("`").removeprefix("$.") or "the file's top"
    what = _FORMS.get(what, what)
    if "required field" in what:
        return f"{what} (at {key}); add it"
    if "unknown field" in what:
        return f"{what} (at {key}); take it out, or correct its spelling"
    return f"{key}: {what}; write such a value" if "Expected" in what else f"{key}: {what}"
