"""The config file: what it may say, and what a person reads when it says something else."""

import re
from pathlib import Path

import pytest

from fleetloop_agent.config import FetchConfig, ReportConfig, UpdateConfig, read
from fleetloop_agent.errors import ConfigError
from fleetloop_agent.hours import Hours
from fleetloop_agent.http_config import HttpConfig

LEAST = """
device = "station-1"
hardware = "board-a"
state_dir = "state"
hub_url = "http://hub:8480"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "agent.toml"
    path.write_text(text, "utf-8")
    return path


def test_four_lines_are_enough(tmp_path: Path) -> None:
    config = read(written(tmp_path, LEAST))
    assert config.device == "station-1"
    assert config.enrol_token is None
    assert (config.http, config.fetch, config.report) == (
        HttpConfig(),
        FetchConfig(),
        ReportConfig(),
    )


def test_the_state_folder_is_beside_the_file_or_where_it_says(tmp_path: Path) -> None:
    assert read(written(tmp_path, LEAST)).state_dir == tmp_path / "state"
    absolute = LEAST.replace('"state"', '"/var/lib/fleetloop"')
    assert read(written(tmp_path, absolute)).state_dir == Path("/var/lib/fleetloop")


def test_every_setting_is_read(tmp_path: Path) -> None:
    text = f"""enrol_token = "a.b"
    {LEAST}
    [http]
    host = "0.0.0.0"
    port = 0
    [fetch]
    window = 4
    max_bytes_per_s = 1000
    stall_s = 2
    [report]
    health_interval_s = 5.0
    resend_s = 1.5
    outbox_records = 10
    outbox_bytes = 1000
    """
    config = read(written(tmp_path, text))
    assert config.fetch == FetchConfig(window=4, max_bytes_per_s=1000, stall_s=2.0)
    assert config.report.outbox_records == 10
    assert config.http.port == 0


def test_labels_are_what_the_file_calls_the_device(tmp_path: Path) -> None:
    text = f'{LEAST}\n[labels]\nsite = "roof"\nrow-2 = "Südseite"'
    assert read(written(tmp_path, text)).labels == {"site": "roof", "row-2": "Südseite"}


@pytest.mark.parametrize(
    "window", ['"sun 02:00-05:00"', '["sun 02:00-05:00"]', '"SUN 2:00 - 5:00"']
)
def test_the_hours_of_a_trial_and_a_lock_file_beside_the_config(
    tmp_path: Path, window: str
) -> None:
    text = f'{LEAST}\n[update]\nwindow = {window}\nlock_file = "busy"\nlock_max_s = 60'
    assert read(written(tmp_path, text)).update == UpdateConfig(
        window=Hours.parse("sun 02:00-05:00"), lock_file=tmp_path / "busy", lock_max_s=60.0
    )
    assert read(written(tmp_path, LEAST)).update == UpdateConfig()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('device = "Station 1"', "device"),
        ('device = "a\\n"', "device"),
        ("device = 7", "device"),
        ('hub_url = "hub:8480"', "hub_url"),
        ('hub_url = "file:///etc/passwd"', "hub_url"),
        ("state_dir = 3", "state_dir"),
        ('state_dir = ""', "state_dir"),
        ("[http]\nport = 70000", "http.port"),
        ("[fetch]\nwindow = 0", "fetch.window"),
        ("[fetch]\nstall_s = -1.0", "fetch.stall_s"),
        ("[report]\nhealth_interval_s = 0", "report.health_interval_s"),
        ("[fetch]\nwindows = 3", "windows"),
        ('[update]\nwindow = "at night"', r'update.window: .*no hours; write "02:00-05:00"'),
        ("[update]\nwindow = 2", "update.window"),
        ('[update]\nlock_file = ""', "update.lock_file"),
        ("[update]\nlock_max_s = 0", "update.lock_max_s"),
        ('[labels]\nhardware = "pi4"', "labels.hardware is the device's hardware already"),
        ('[labels]\nSite = "roof"', "a label's name of 1 to 64 characters"),
        ("[labels]\nsite = 'the \"roof\"'", "1 to 100 characters without quotes"),
        ("colour = 'red'", "colour"),
    ],
)
def test_a_value_that_cannot_be_names_its_key(tmp_path: Path, line: str, told: str) -> None:
    key = line.partition(" =")[0]
    kept = [other for other in LEAST.splitlines() if not other.startswith(f"{key} ")]
    path = written(tmp_path, "\n".join([*kept, line]))
    with pytest.raises(ConfigError, match=told) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"`hardware`.*add it"):
        read(written(tmp_path, LEAST.replace("hardware", "# hardware")))


def test_what_is_no_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not TOML.*line 1"):
        read(written(tmp_path, "device station-1"))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "none.toml")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        read(path)


INPUT = 'input = "sensors/+/reading"'
OUTPUT = 'output = "predictions/{0}"'
MQTT = f'[mqtt]\nbroker = "mqtt://127.0.0.1"\n{INPUT}\n{OUTPUT}\n'


def test_sensors_are_heard_where_the_file_says_so(tmp_path: Path) -> None:
    assert read(written(tmp_path, LEAST)).mqtt is None
    text = f'{LEAST}{MQTT}password_file = "secret"\nca_file = "/etc/ca.pem"\n'
    mqtt = read(written(tmp_path, text)).mqtt
    assert mqtt is not None
    assert (mqtt.qos, mqtt.queue, mqtt.answer_retained) == (0, 1_000, False)
    assert mqtt.password_file == tmp_path / "secret"
    assert mqtt.ca_file == Path("/etc/ca.pem")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("predictions/{0}", "sensors/{0}/reading", "answer itself for ever"),
        ("predictions/{0}", "predictions/{1}", "counted from 0"),
        ("predictions/{0}", "predictions/+", "is no topic"),
        ("sensors/+/reading", "sensors/+x", "no topic filter"),
        (
            'input = "sensors/+/reading"\noutput = "predictions/{0}"',
            'input = "#"\noutput = "p"',
            "ever",
        ),
        ("mqtt://127.0.0.1", "http://127.0.0.1", "not a broker's address"),
        ("mqtt://127.0.0.1", "mqtt://me:secret@127.0.0.1", "password_file"),
        ('"predictions/{0}"', '"p"\nrefusals = "sensors/{0}/reading"', "refusals"),
        ('"predictions/{0}"', '"p"\npresence = "p/{0}"', "has 0 places"),
        ('"predictions/{0}"', '"p"\nqos = 1\nanswer_retained = true', "needs qos = 0"),
        ('"predictions/{0}"', '"p"\nqos = 2', "mqtt.qos"),
        ('"predictions/{0}"', '"p"\nqueue = 0', "mqtt.queue"),
    ],
)
def test_sensors_topics_that_cannot_be_are_refused(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    assert old in MQTT
    with pytest.raises(ConfigError, match=re.escape(told)) as refused:
        read(written(tmp_path, LEAST + MQTT.replace(old, new)))
    assert "secret" not in str(refused.value)


def test_paths_and_token_of_the_endpoint_are_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef\n")
    text = LEAST + '[http]\nunix_socket = "http"\ntoken_file = "secret"\n'
    http = read(written(tmp_path, text)).http
    assert (http.unix_socket, http.token) == (tmp_path / "http", "0123456789abcdef")


@pytest.mark.parametrize(
    ("http", "text"),
    [
        ('token = "short"', "http.token: Expected 16 to 256 printable characters without blanks"),
        ('unix_socket = "a"\nport = 1', r"nothing would listen on http\.port"),
        ('token = "0123456789 abcdef"', r"http\.token"),
        ('token_file = "absent"', "cannot be read"),
        ('token_file = "agent.toml"', "holds no token"),
        ('token_file = "a"\ntoken = "0123456789abcdef"', "two tokens"),
        ("max_rows = 0", r"http\.max_rows"),
        ("idle_s = 0", r"http\.idle_s"),
    ],
)
def test_settings_of_the_endpoint_that_cannot_be_are_refused(
    http: str, text: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        read(written(tmp_path, f"{LEAST}[http]\n{http}\n"))
    assert "short" not in str(caught.value)
