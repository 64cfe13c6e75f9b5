"""What the hub says to everybody and the broker keeps: what exists first, then what to run."""

from collections.abc import Callable

from fleetloop_hub.delivery.director import Director, Statement
from fleetloop_hub.delivery.listing import Image
from fleetloop_shared.topics import Topic

Say = Callable[[str, bytes], bool]
"""Publishes a retained message; whether the link has taken it."""


class Statements:
    """Signed statements on their way to the broker; the newest on a topic is enough."""

    def __init__(self, image: Image, director: Director) -> None:
        """Nothing is said until `again` or `look`."""
        self._image, self._director = image, director
        self._untold: dict[str, bytes] = {}
        self._told_image = b""

    def tell(self, statement: Statement) -> None:
        """Say this at the next chance."""
        self._untold[statement.topic] = statement.payload

    def look(self, now: float) -> None:
        """Sign what is due, and say what has changed.

        Raises:
            DiskFullError: No room; what was said stands.
        """
        image = self._image.statement(now)
        if image.payload != self._told_image:
            self._told_image = image.payload
            self.tell(image)
        for statement in self._director.renewed(now):
            self.tell(statement)

    def again(self, now: float, cohorts: set[str] | None = None) -> None:
        """Say what must last once more: the broker may have forgotten it, or keeps nothing.

        Args:
            now: Unix seconds.
            cohorts: To whom, None for all.
        """
        self._told_image = b""
        self.look(now)
        topics = None if cohorts is None else {Topic.DIRECTOR.at(cohort=c) for c in cohorts}
        for statement in self._director.standing():
            if topics is None or statement.topic in topics:
                self.tell(statement)

    def pump(self, say: Say) -> None:
        """Hand over what waits; no statement overtakes the list that it relies on."""
        image = Topic.IMAGE.at()
        for topic in sorted(self._untold, key=lambda topic: topic != image):
            if not say(topic, self._untold[topic]):
                return
            del self._untold[topic]
