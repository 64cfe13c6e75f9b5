"""A version whose labelled rows are kept, and devices that report profiles under it."""

import operator
from functools import reduce

import numpy as np
from msgspec.structs import replace

from fleetloop_agent.ports import Rows
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.records import Alias, Version
from fleetloop_hub.validation.labelled import Labelled, encode
from fleetloop_hub.validation.metrics import Answers
from fleetloop_shared.codec import encode as encode_message
from fleetloop_shared.codec import encode_compressed
from fleetloop_shared.drift.bins import count_scores
from fleetloop_shared.drift.block import Blocks
from fleetloop_shared.estimate.records import AccuracyReference
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.reports import Label, LabelReport, ProfileReport, Sample, SampleReport
from support.hubrecords import START, a_device, a_run, a_version
from support.serving_rig import model, rows

LABELLED = 2_000
BLOCK_ROWS = 256


def scores_of(values: Rows) -> np.ndarray:
    """What the model of `serving_rig` says: honest probabilities."""
    logits = np.nan_to_num(values[:, 0]).astype(np.float64) - np.nan_to_num(values[:, 1])
    scores: np.ndarray = 1 / (1 + np.exp(-logits))
    return scores


def labelled(count: int = LABELLED, seed: int = 6) -> Labelled:
    """Rows with their truth, which the scores tell honestly, and the model's answers."""
    values = rows(count, seed)
    scores = scores_of(values)
    truth = (np.random.default_rng(seed).random(count) < scores).astype(np.float64)
    outputs = np.stack([1 - scores, scores], axis=1).astype(np.float32)
    return Labelled(Answers(truth, outputs, model()[0].signature), values)


def manifest() -> Manifest:
    """Of the same model, with what the labelled rows say."""
    answers = labelled().answers
    counts = count_scores(answers.scores)
    accuracy = AccuracyReference(
        metric="accuracy",
        value=float(answers.right.mean()),
        low=0.7,
        high=0.8,
        rows=LABELLED,
        counts=counts.tolist(),
        expected=[max(k + 0.5, 31.5 - k) / 32 for k in range(32)],
        spread=[0.4] * 32,
        loss_bound=0.3,
        loss_cap=1.0,
        bound_from="gate",
    )
    return replace(model()[0], accuracy=accuracy)


def profile(values: Rows) -> LiveProfile:
    """What a device tells about rows that it has served."""
    made = manifest()
    blocks, scores = Blocks(made.reference, made.signature), scores_of(values)
    counted = [
        blocks.count(values[at : at + BLOCK_ROWS], scores[at : at + BLOCK_ROWS])
        for at in range(0, len(values), BLOCK_ROWS)
    ]
    return blocks.profile(reduce(operator.add, counted))


def keep(catalog: Catalog, blobs: Blobs, *, rows_kept: bool = True) -> Version:
    """Put version 1 of `storm` there, the champion, with the run that made it."""
    kept = labelled()
    artifacts = {"labelled.parquet": blobs.put(encode(kept.answers, kept.values))}
    run = replace(
        a_run("storm-1"), model="storm", metric="roc_auc", artifacts=artifacts if rows_kept else {}
    )
    version = replace(
        a_version(1, run="storm-1"),
        key="storm/1",
        model="storm",
        unsigned=blobs.put(encode_message(manifest())),
    )
    catalog.put(run, version, Alias(key="storm/champion", version=1))
    return version


def report(telemetry: Telemetry, device: str, profiles: list[LiveProfile], first: int = 1) -> None:
    """Profiles of windows that follow each other."""
    told = [
        ProfileReport(
            device=device,
            boot=1,
            seq=seq,
            at=START + seq,
            model="storm",
            version=1,
            first_row=1,
            profile=each,
        )
        for seq, each in enumerate(profiles, first)
    ]
    telemetry.store([("profile", encode_compressed(r), r) for r in told])


def label(telemetry: Telemetry, device: str, count: int, *, wrong: int, version: int = 1) -> None:
    """Samples and their labels; one answer in so many is wrong."""
    samples = [
        Sample(
            prediction_id=f"{device}.1.{k}",
            at=START + k,
            values=[0.0, 0.0],
            score=0.6,
            label=1,
            version=version,
        )
        for k in range(count)
    ]
    labels = [
        Label(prediction_id=s.prediction_id, label=int(k % wrong != 0), at=START + count)
        for k, s in enumerate(samples)
    ]
    sent = SampleReport(device=device, boot=1, seq=901, at=START, model="storm", samples=samples)
    known = LabelReport(device=device, boot=1, seq=902, at=START, labels=labels)
    telemetry.store(
        [("samples", encode_message(sent), sent), ("labels", encode_message(known), known)]
    )


def station(name: str, cohort: str) -> Device:
    """An enrolled device."""
    return replace(a_device(name), cohort=cohort)
