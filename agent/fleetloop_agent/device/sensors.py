"""Makes the link to the broker on which sensors publish."""

from fleetloop_agent.errors import ConfigError
from fleetloop_agent.sensor_config import SensorConfig
from fleetloop_shared.paho_link import PahoLink

_LONGEST_PASSWORD = 65_535


def link_to(config: SensorConfig, device: str) -> PahoLink:
    """A link that is not started.

    Args:
        config: Where the broker is.
        device: Whose agent this is; its name is a part of the client's.

    Raises:
        ConfigError: The password cannot be read, or there is no such certificate.
    """
    password = ""
    if config.password_file is not None:
        try:
            password = config.password_file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"mqtt.password_file {config.password_file} cannot be read: {error}; write the"
                " password for the sensors' broker into it, and nothing else"
            ) from error
        if not 0 < len(password.encode()) <= _LONGEST_PASSWORD:
            raise ConfigError(
                f"mqtt.password_file {config.password_file} holds no password; write it there"
            )
    if config.ca_file is not None and not config.ca_file.is_file():
        raise ConfigError(f"mqtt.ca_file {config.ca_file} is not there: give the broker's CA (PEM)")
    return PahoLink(
        config.broker,
        f"fleetloop-{device}",
        config.username,
        password,
        ca_file=str(config.ca_file) if config.ca_file is not None else None,
        passes_over=True,
    )
