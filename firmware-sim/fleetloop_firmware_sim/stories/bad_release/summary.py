"""What the story of the bad release found, and what must be true of it."""

from fleetloop_firmware_sim.stories.summary import Summary


class BadReleaseSummary(Summary, frozen=True, kw_only=True):
    """Read off the running system.

    Attributes:
        bad_board: The hardware type on which the release is wrong.
        gates_passed: Whether the candidate passed all offline gates.
        rollout: How its rollout ended.
        phases_opened: How many of its phases had been opened by then.
        canary_devices: Devices that the first phase is for: a share of every hardware type.
        took_it: Devices that have answered with it.
        rows_of_it: Rows that were answered by it, over all devices.
        statements: New signed statements that each of these devices has accepted meanwhile.
        reason: Why it was stopped, in the hub's words.
        proof: Measures that the judge has found harmful on that hardware type.
        quarantined: Hardware types that will not be given it again.
        control: Devices that were never to have it.
        control_unanswered: Rows that they were asked in vain meanwhile.
        control_probes: Answers to the same rows that they gave before and afterwards.
        control_changed: How many of these differ in a single bit, or are by another version.
        devices_back: Devices that run the version before at the end.
        retrainings: Trainings that the hub has decided on.
        versions: How many versions there are in the end.
        why: What the hub tells when it is asked why there is the release.
    """

    bad_board: str = ""
    gates_passed: bool = False
    rollout: str = ""
    phases_opened: int = 0
    canary_devices: int = 0
    took_it: tuple[str, ...] = ()
    rows_of_it: int = 0
    statements: int = 0
    reason: str = ""
    proof: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    control_unanswered: int = 0
    control_probes: int = 0
    control_changed: int = 0
    devices_back: int = 0
    retrainings: int = 0
    versions: int = 0
    why: tuple[str, ...] = ()


def demands(found: BadReleaseSummary) -> dict[str, bool]:
    """What has to be true for the bad release to have been stopped where it was tried."""
    return {
        "the candidate did not pass the offline gates": found.gates_passed,
        "the rollout was not reverted": found.rollout == "reverted",
        "it came further than the canary": found.phases_opened == 1,
        "no device has tried it": bool(found.took_it) and found.rows_of_it > 0,
        "more devices than the canary have tried it": len(found.took_it) <= found.canary_devices,
        "it was not taken back by a statement after the one that offered it": found.statements > 1,
        "there was no control": bool(found.control) and found.control_probes > 0,
        "the control has left rows unanswered": found.control_unanswered == 0,
        "the control answers otherwise than before": found.control_changed == 0,
        "it was not stopped for its labelled accuracy on that hardware": "accuracy" in found.proof,
        "it is not in quarantine on that hardware": found.bad_board in found.quarantined,
        "it is in quarantine where it does no harm": set(found.quarantined) <= {found.bad_board},
        "not every device is back at the version before": found.devices_back == found.devices,
        "something was retrained": found.retrainings == 0 and found.versions == 2,  # noqa: PLR2004  # the first, and the release
        "its record does not tell that it was taken back": any(
            "taken back" in sentence for sentence in found.why
        ),
    }
