"""The command line: run the daemon, ask it how it is, score rows with a model from its disk."""

import argparse
import contextlib
import logging
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fleetloop_agent import (
    config,
    lean,  # noqa: F401  # before what imports numpy
)
from fleetloop_agent.config import AgentConfig
from fleetloop_agent.device import enrol
from fleetloop_agent.device.lock import StateLock
from fleetloop_agent.device.start_pages import StartPages
from fleetloop_agent.errors import HubAwayError
from fleetloop_agent.machine import plugged_in
from fleetloop_agent.version import VERSION
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.errors import FleetloopError
from fleetloop_shared.messages import EnrolAnswer

FAILED = 1
"""Exit code: the text on standard error says what happened and what to do."""

_FIRST_WAIT_S = 2.0
_LONGEST_WAIT_S = 60.0
_jitter = random.SystemRandom()
_log = logging.getLogger(__name__)

_RUN = """
Enrols with the hub if need be, serves the model on this device's disk at once, also without a
network, and follows what the hub rolls out. Ends in good order on SIGTERM or Ctrl-C.

The config file:

  device = "station-1"                  # 1 to 64 of a-z 0-9 _ -
  hardware = "generic"                  # compared with what a release is for
  state_dir = "state"                   # relative to this file
  hub_url = "http://hub.example:8080"
  enrol_token = "<secret>.<fingerprint>"   # needed once, from `fleetloop token`

  [labels]                              # of your own, for queries that pick devices
  site = "roof"

  [serving]
  deadline_s = 10.0                     # a model that takes longer is told to end

  [http]
  host = "127.0.0.1"                    # where programs on this device ask
  port = 8490
  # unix_socket = "/run/fleetloop/http" # in place of host and port
  token_file = "http-token"             # needed if host is not loopback: 16 to 256 characters
  max_connections = 64
  max_body_bytes = 1048576
  max_rows = 4096                       # in one request
  request_s = 10.0                      # seconds in which a request must be whole
  idle_s = 30.0                         # seconds until an idle connection is closed
  metrics = false                       # true: GET /metrics tells Prometheus what this device does

  [mqtt]                                # leave out where no sensor publishes rows
  broker = "mqtt://127.0.0.1:1883"      # the sensors' broker; mqtts:// for TLS, with ca_file = ...
  username = "fleetloop"                # leave out where none is asked for
  password_file = "mqtt-password"       # holds the password and nothing else
  input = "sensors/+/reading"           # rows: {feature: value, ...}, or values in their order
  output = "predictions/{0}"            # answers, as POST /predict gives them; {0}: the first +
  refusals = "refusals/{0}"             # why a payload was not answered; may be left out
  presence = "fleetloop/presence"       # retained {"online": ...}, also as last will; may as well
  qos = 0                               # of both; a message is answered once at most
  queue = 1000                          # messages that wait; then the oldest is dropped, counted
  answer_retained = false               # a row that the broker has kept may be old

  [fetch]
  window = 8                            # chunks asked for at the same time
  max_bytes_per_s = 50000               # leave out for no limit
  stall_s = 5.0                         # seconds after which the hub is asked for a chunk

  [report]
  health_interval_s = 60.0
  resend_s = 5.0                        # seconds until an unacknowledged report is sent again
  outbox_records = 100000               # the most reports that are kept while the hub is away
  outbox_bytes = 67108864

  [update]                              # a model is fetched at any time, and tried when it may be
  window = "02:00-05:00"                # local time; or ["mon-fri 22:00-04:00", "sun 00:00-24:00"]
  lock_file = "/run/pump/busy"          # no trial begins while an application keeps this file
  lock_max_s = 3600.0                   # untouched for so long it is left over: ignored, reported
"""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code.

    Args:
        arguments: Without the program's name; None: those of this process.
    """
    asked = _parser().parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if asked.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    logging.getLogger("tuf").setLevel(logging.WARNING)  # it counts keys; what matters is refused
    command: Callable[[argparse.Namespace], int] = asked.command
    if command is not _run:  # whoever reads the output may have had enough
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        return command(asked)
    except FleetloopError as error:
        sys.stderr.write(f"fleetloop-agent: {error}\n")
        return FAILED


def _run(asked: argparse.Namespace) -> int:
    settings = config.read(asked.config)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(StateLock(settings.state_dir).release)
        disk = RealDisk(settings.state_dir)
        identity = _identity(settings, disk, stopping)
        if identity is not None:
            with plugged_in(settings, identity, disk) as plugged:
                pages = StartPages()
                while not stopping.is_set():
                    plugged.step()
                    pages.step(plugged.agent.predictor.manifest, time.monotonic())
    _log.info("ended in good order")
    return 0


def _identity(
    settings: AgentConfig, disk: RealDisk, stopping: threading.Event
) -> EnrolAnswer | None:
    """Who this device is; enrols once, and waits for a hub that is away."""
    known = enrol.known(disk, settings.device)
    longest_s = _FIRST_WAIT_S
    while known is None and not stopping.is_set():
        try:
            known = enrol.enrol(settings, VERSION, disk)
            _log.info("enrolled as %s, cohort %s", known.device, known.cohort)
        except HubAwayError as error:
            wait_s = _jitter.uniform(0.0, longest_s)
            _log.warning("not enrolled yet: %s; trying again in %.1f s", error, wait_s)
            stopping.wait(wait_s)
            longest_s = min(2 * longest_s, _LONGEST_WAIT_S)
    return known


def _status(asked: argparse.Namespace) -> int:
    from fleetloop_agent.device import inspect  # noqa: PLC0415  # what the daemon never loads

    return inspect.status(config.read(asked.config), as_json=asked.json)


def _score(asked: argparse.Namespace) -> int:
    from fleetloop_agent.device import inspect  # noqa: PLC0415  # what the daemon never loads

    return inspect.score(config.read(asked.config), asked.slot, asked.rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fleetloop-agent",
        description="Fleetloop's daemon on a device: receives models, serves them, watches them.",
    )
    parser.add_argument("--version", action="version", version=f"fleetloop-agent {VERSION}")
    parser.add_argument("--verbose", action="store_true", help="say more on standard error")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="run the daemon",
        description="Run the daemon.",
        epilog=_RUN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.set_defaults(command=_run)
    status = commands.add_parser(
        "status",
        help="say what the running daemon serves and does",
        description="Ask the daemon of this device what it serves and does.",
    )
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(command=_status)
    score = commands.add_parser(
        "score",
        help="answer the rows of a CSV file with a model from this device's disk",
        description=(
            "Answer the rows of a CSV file with a committed model from this device's own disk,"
            " verified as at every start. Prints one JSON object a row: label and score. The"
            " file's first line names the features; an empty field is a missing value; columns"
            " that are no features are left alone. The daemon may be running."
        ),
    )
    score.add_argument(
        "--slot",
        choices=("active", "previous"),
        default="active",
        help="which committed model (default: active)",
    )
    score.add_argument("rows", metavar="ROWS.csv", type=Path, help="the rows, - for standard input")
    score.set_defaults(command=_score)
    for command in (run, status, score):
        command.add_argument(
            "--config", metavar="FILE", type=Path, required=True, help="the agent's TOML file"
        )
    return parser


if __name__ == "__main__":
    sys.exit(main())
