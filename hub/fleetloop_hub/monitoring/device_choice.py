"""Some devices as a rollout or a cohort's name is told of them: a cohort and a label query."""

import shlex
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from fleetloop_hub.monitoring.device_list import Wish
from fleetloop_hub.monitoring.overview import DeviceView
from fleetloop_shared.label_query import LONGEST, MOST_TEXTS


@dataclass(frozen=True)
class Choice:
    """Devices of one cohort.

    Attributes:
        cohort: Their cohort.
        devices: Their names.
        where: The label query that is about them; "" is the whole cohort.
        lasting: Whether it is also about devices that will come to be like them.
        too_many: Whether no query can name them all; `where` is "" then.
    """

    cohort: str
    devices: list[str]
    where: str = ""
    lasting: bool = False
    too_many: bool = False

    @property
    def command(self) -> str:
        """What to type to see what a rollout to them would do."""
        plan = f"fleetloop rollouts plan MODEL@VERSION --cohort {shlex.quote(self.cohort)}"
        return f"{plan} --where {shlex.quote(self.where)}" if self.where else plan


def choices(devices: Iterable[DeviceView], wish: Wish, *, picked: bool) -> list[Choice]:
    """The chosen devices, a cohort at a time; one that is in none cannot be told anything.

    Args:
        devices: The chosen ones.
        wish: What they were found by.
        picked: Whether a person has picked them one by one, so that no query but names says it.
    """
    by_cohort = defaultdict(list)
    for device in devices:
        by_cohort[device.cohort].append(device.device)
    lasting = None if picked or not wish.by_label else _by_label(wish)
    found = []
    for cohort, names in sorted(by_cohort.items()):
        if cohort and lasting is not None:
            found.append(Choice(cohort, names, lasting, lasting=True))
        elif cohort:
            where = _by_name(names)
            found.append(Choice(cohort, names, where or "", too_many=where is None))
    return found


def _by_label(wish: Wish) -> str | None:
    if not wish.hardware:
        return wish.where
    if '"' in wish.hardware:
        return None  # no text of a query holds its own quotes
    own = f'hardware = "{wish.hardware}"'
    return f"{own} and ({wish.where})" if wish.where else own


def _by_name(names: list[str]) -> str | None:
    """The query that names them, None if none can."""
    quoted = [f'"{name}"' for name in names if '"' not in name]
    where = f"device = {quoted[0]}" if len(quoted) == 1 else f"device in ({', '.join(quoted)})"
    fits = len(quoted) == len(names) <= MOST_TEXTS and len(where) <= LONGEST
    return where if quoted and fits else None
