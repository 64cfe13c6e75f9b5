"""Commands in README and docs exist, with the options they are given, and links lead on."""

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from fleetloop_agent.__main__ import main as agent_main
from fleetloop_firmware_sim.cli import app as sim_app
from fleetloop_hub.cli.app import app as hub_app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
JOINED = "\n".join(page.read_text("utf-8").replace("\\\n", " ") for page in PAGES)
COMMANDS = sorted(set(re.findall(r"\.venv/bin/(fleetloop\S*) (\S+)([^`\n#]*)", JOINED)))
GROUPS = {"data", "models", "rollouts", "runs"}
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
APPS: dict[str, typer.Typer] = {"fleetloop": hub_app, "fleetloop-sim": sim_app}


def test_there_are_commands_to_check() -> None:
    assert {program for program, _, _ in COMMANDS} == {*APPS, "fleetloop-agent"}


@pytest.mark.parametrize(("program", "command", "rest"), COMMANDS, ids=[c[1] for c in COMMANDS])
def test_a_command_of_the_readme_exists_with_its_options(
    program: str, command: str, rest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = sim_app if command == "demo" else APPS.get(program)
    if app is None:
        with pytest.raises(SystemExit, match="0"):
            agent_main([command, "--help"])
        told = capsys.readouterr().out
    else:
        path = [command, *rest.split()[:1]] if command in GROUPS and rest.strip() else [command]
        result = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
        assert result.exit_code == 0
        told = result.stdout
    for option in re.findall(r"--[a-z-]+", rest):
        assert option in told


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    for target in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


def test_every_part_of_a_benchmark_has_its_place_in_the_page_on_performance() -> None:
    bench, page = ROOT / "tests" / "bench", (ROOT / "docs" / "performance.md").read_text("utf-8")
    parts = [
        path.stem.removeprefix(f"{side}_")
        for side in ("agent", "drift")
        for path in bench.glob(f"{side}_*.py")
    ]
    assert len(parts) > 5
    for part in parts:
        assert f"<!-- measured: {part} -->" in page, part
        assert f"<!-- end: {part} -->" in page, part
