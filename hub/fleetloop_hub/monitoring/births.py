"""Tells from a device's births whether somebody else speaks or connects in its name.

Births are not signed: whoever may write on a device's topics can say what he likes there. What the
true device says next then contradicts him, and that is seen here.
"""

from collections import defaultdict, deque

from fleetloop_hub.errors import ImpersonationError, SecondClientError
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
        self._born_at: defaultdict[str, deque[float]] = defaultdict(
            lambda: deque(maxlen=CONNECTIONS)
        )

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
        if last is None or not state.online:
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
        born_at = self._born_at[device]
        born_at.append(now)
        if len(born_at) == CONNECTIONS and now - born_at[0] <= WITHIN_S:
            born_at.clear()
            raise SecondClientError(
                f"{device} had to connect {CONNECTIONS} times within {WITHIN_S:.0f} s: another "
                "client uses its name and throws it out, or its network fails again and again"
            )
