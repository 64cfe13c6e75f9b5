"""Tells the stories on several seeds, and once each with a hub that is killed; writes the page.

`python tests/stories/run.py --page docs/stories.md` tells all of them, two at a time; parts of it:
`--stories miswired --seeds 1`. A part replaces its own lines of the page and leaves the others.
Exits with 1 if a story did not end right.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # tests/support

from fleetloop_firmware_sim.stories import shelf
from support import stories_page
from support.stories_page import Json, Telling

AT_ONCE = 2
LONGEST_S = 900.0
SEEDS = (1, 2, 3)


def main() -> int:
    """Tell what is asked for; returns the exit code."""
    names = [story.name for story in shelf.STORIES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stories", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", nargs="+", type=int, default=list(SEEDS))
    parser.add_argument("--no-kills", action="store_true", help="leave out the killed hubs")
    parser.add_argument("--page", type=Path, help="where the tables are written")
    asked = parser.parse_args()
    tellings = [
        telling
        for name in asked.stories
        for telling in _tellings(name, asked.seeds, asked.no_kills)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        summaries = list(pool.map(_tell, tellings))
    told = list(zip(tellings, summaries, strict=True))
    if asked.page is not None:
        stories_page.write(asked.page, told)
    wrong = [telling.command for telling, summary in told if not summary["closed"]]
    sys.stdout.writelines(f"did not end right: {command}\n" for command in wrong)
    return 1 if wrong else 0


def _tellings(name: str, seeds: list[int], no_kills: bool) -> list[Telling]:  # noqa: FBT001  # parsed
    plain = [Telling(name, seed, kill_hub=False) for seed in seeds]
    return plain if no_kills else [*plain, Telling(name, seeds[0], kill_hub=True)]


def _tell(telling: Telling) -> Json:
    """One story in processes of its own; its folder is kept if it did not end right."""
    with tempfile.NamedTemporaryFile("w+", prefix="fleetloop-story-", delete=False) as log:
        command = [sys.executable, "-m", "fleetloop_hub", *telling.command.split()[1:]]
        try:
            subprocess.run(
                command, stdout=log, stderr=subprocess.STDOUT, timeout=LONGEST_S, check=False
            )
        except subprocess.TimeoutExpired:
            log.write(f"\nit was ended after {LONGEST_S:.0f} s\n")
        log.seek(0)
        summary = _last_summary(log.read().splitlines(), telling)
    how = "ended right" if summary["closed"] else f"WRONG: {'; '.join(summary['missing'])}"
    sys.stdout.write(f"{telling.command}: {how} ({log.name})\n")
    sys.stdout.flush()
    return summary


def _last_summary(lines: list[str], telling: Telling) -> Json:
    for line in reversed(lines):
        if line.startswith("{"):
            summary: Json = json.loads(line)
            return summary
    return {
        "story": telling.story,
        "seed": telling.seed,
        "closed": False,
        "missing": ["it ended without a summary"],
    }


if __name__ == "__main__":
    sys.exit(main())
