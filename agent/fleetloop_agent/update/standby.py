"""Puts the best committed model that is whole on this disk into service, or says there is none."""

from fleetloop_agent.errors import ModelError, SlotError
from fleetloop_agent.ports import Serving
from fleetloop_agent.update.journal import Slot
from fleetloop_agent.update.slots import Slots


def serve_best(candidates: list[Slot], slots: Slots, serving: Serving) -> tuple[Slot | None, str]:
    """Load the first candidate that is whole and loads.

    Args:
        candidates: Committed models, best first.
        slots: The disk.
        serving: Where it answers.

    Returns:
        What is served now, and what was wrong with those before it, "" for nothing.
    """
    faults = []
    for slot in dict.fromkeys(candidates):
        try:
            manifest, artifact = slots.load(slot)
            serving.load(manifest, artifact)
        except (SlotError, ModelError) as error:
            faults.append(f"{slot.model} {slot.version} cannot be served: {error}")
        else:
            return slot, "; ".join(faults)
    serving.unload()
    return None, "; ".join(faults)
