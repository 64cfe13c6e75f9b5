"""On real people: who overlooks a group is blocked, and a fairer candidate is offered."""

import gzip
import re
from pathlib import Path

import pytest

from fleetloop_hub.drafting.draft import draft
from fleetloop_hub.records import Run
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.training.run import train
from fleetloop_hub.version_parts import GateResult
from support.learnable import from_csv, job, silent

CENSUS = Path(__file__).parents[3] / "docs" / "data" / "census.csv.gz"
EVERY = 4
ONE_CANDIDATE = """[[candidates]]
name = "trees"
family = "gradient-boosting"
trees = 60

[budget]"""


def judged(folder: Path, mitigation: str) -> tuple[Run, GateResult]:
    """The run with a drafted spec, and its gate on people with a disability."""
    header, *rows = gzip.decompress(CENSUS.read_bytes()).splitlines()
    path = folder / "census.csv"
    path.write_bytes(b"\n".join([header, *rows[::EVERY]]))
    text = draft("employed", path, folder, "employed", None)
    text = re.sub(r"\[\[candidates\]\].*?\[budget\]", ONE_CANDIDATE, text, count=1, flags=re.DOTALL)
    text = re.sub(r"\ngroups = .*", f'\ngroups = ["DIS"]\nmitigation = "{mitigation}"', text)
    blobs = FileBlobs(folder / "blobs")
    dataset = from_csv(parse(text), path, blobs, 1.0)
    result = train(job(text, dataset, blobs), silent).result
    [gate] = [gate for gate in result.gates if gate.name.startswith("fairness: DIS")]
    return result.run, gate


@pytest.mark.timeout(300)
def test_a_winner_that_overlooks_the_disabled_is_blocked_with_the_evidence(tmp_path: Path) -> None:
    run, gate = judged(tmp_path, "none")
    assert run.metrics["accuracy"] > 0.8
    assert not gate.passed
    assert (gate.value or 0.0) > 0.4
    shares = re.findall(r"(0\.\d+) \(0\.\d+ to 0\.\d+, [\d,]+ rows\) where DIS is (\d)", gate.text)
    rates = {group: float(share) for share, group in shares}
    assert rates["2"] > 0.85
    assert rates["1"] < 0.45


@pytest.mark.timeout(300)
def test_a_candidate_with_thresholds_of_groups_is_offered_and_passes(tmp_path: Path) -> None:
    run, gate = judged(tmp_path, "group-thresholds")
    assert run.chosen == "trees-fair"
    assert {c.name for c in run.candidates} == {"trees", "trees-fair"}
    assert gate.passed
    assert gate.value is not None
    assert gate.value <= 0.1
    assert run.metrics["accuracy"] > 0.78
