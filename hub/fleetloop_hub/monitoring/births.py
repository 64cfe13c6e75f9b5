"""Tells from a device's births whether somebody else speaks or connects in its name.

Births are not signed: whoever may write on a device's topics can say what he likes there. What the
true device says next then contradicts him, and that is seen here.
"""

from collections import defaultdict, deque

from fleetloop_hub.errors import SecondClientError
from fleetloop_shared.errors import ImpersonationError
from fleetloop_shared.messages import DeviceState

CONNECTIONS = 6
"""So many births that follow one another at once are one too many for a network that is only bad:
a device waits twice as long before each new attempt."""

WITHIN_S = 60.0

MOST_STARTS = 1_000
"""No agent starts so often between two births that the hub hears."""


class Births:
    """Remembers the last connections of each device."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self._at: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=CONNECTIONS))

    def check(self, device: str, state: DeviceState, last: DeviceState | None, now: float) -> None:
        """Look at a birth or a will.

        Args:
            device: In whose name.
            state: What is said now.
            last: What was said before it, None before the first.
            now: Unix seconds.

        Raises:
            ImpersonationError: It contradicts what was said before.
            SecondClientError: The device loses its connection to another client again and again.
        """
        if last is None:
            return
        if not state.online:
            if state.boot == last.boot:
                self._count(f"{device} lost", device, now)
            return
        if state.boot < last.boot:
            raise ImpersonationError(
                f"start {state.boot} of {device} after its start {last.boot}: somebody speaks in "
                "its name, or its state folder is an old copy"
            )
        if state.boot > last.boot + MOST_STARTS:
            raise ImpersonationError(
                f"start {state.boot} of {device} soon after its start {last.boot}: no device starts"
                " so often, somebody speaks in its name"
            )
        if state.boot > last.boot or state.conn <= last.conn:
            return
        self._count(device, device, now)

    def _count(self, what: str, device: str, now: float) -> None:
        """One more birth or will; a thief of the name lets few births through, and every will."""
        at = self._at[what]
        at.append(now)
        if len(at) == CONNECTIONS and now - at[0] <= WITHIN_S:
            at.clear()
            raise SecondClientError(
                f"{device} lost its connection {CONNECTIONS} times within {WITHIN_S:.0f} s: "
                "another client uses its name and throws it out, or its network is bad"
            )
