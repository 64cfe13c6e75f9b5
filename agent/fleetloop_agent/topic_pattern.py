"""MQTT topic filters and what is made of them: which parts a topic has, whether two can meet.

MQTT 3.1.1, section 4.7. `+` stands for one level of a topic, `#` for all that follow.
"""

import re

_PLACE = re.compile(r"\{(\d{1,2})\}")
_LONGEST_BYTES = 65_535

ONE, REST = "+", "#"


class TopicFilter:
    """Topics that are listened to.

    >>> TopicFilter("sensors/+/reading").parts("sensors/pump-3/reading")
    ['pump-3']
    """

    def __init__(self, text: str) -> None:
        """Take a filter apart.

        Raises:
            ValueError: It is none.
        """
        _check_text(text)
        self.text = text
        self.levels = text.split("/")
        if text.startswith("$"):
            raise ValueError("a filter that begins with $ is the broker's own; name other topics")
        for place, level in enumerate(self.levels):
            whole = level in {ONE, REST} or not {ONE, REST} & set(level)
            if not whole or (level == REST and place < len(self.levels) - 1):
                raise ValueError(
                    f"{text[:80]!r} is no topic filter: + stands for a whole level, # for all"
                    " levels at the end"
                )

    @property
    def places(self) -> int:
        """How many parts of a topic `parts` gives."""
        return self.levels.count(ONE)

    def parts(self, topic: str) -> list[str] | None:
        """What stood in the places of `+`, None if the topic does not match."""
        levels = topic.split("/")
        if topic.startswith("$"):
            return None
        if self.levels[-1] == REST:
            wanted = self.levels[:-1]
            levels = levels[: len(wanted)]
        else:
            wanted = self.levels
        if len(levels) != len(wanted):
            return None
        found = []
        for want, level in zip(wanted, levels, strict=True):
            if want == ONE:
                found.append(level)
            elif want != level:
                return None
        return found


class TopicPattern:
    """Topics that are written to, with places `{0}`, `{1}`, ... for the parts of another topic.

    >>> TopicPattern("predictions/{0}", 1).at(["pump-3"])
    'predictions/pump-3'
    """

    def __init__(self, text: str, places: int) -> None:
        """Take a pattern.

        Args:
            text: The pattern.
            places: How many parts there are to be filled in.

        Raises:
            ValueError: It is none, or wants more parts than there are.
        """
        _check_text(text)
        named = [int(found) for found in _PLACE.findall(text)]
        if {ONE, REST, "{", "}"} & set(_PLACE.sub("", text)) or text.startswith("$"):
            raise ValueError(
                f"{text[:80]!r} is no topic: + and # are for filters, $ is the broker's, and a"
                " place to be filled in is written {0}"
            )
        if any(number >= places for number in named):
            raise ValueError(
                f"{text[:80]!r} wants part {max(named)} of the input's topic, which has {places}"
                " places for +, counted from 0"
            )
        self.text = text

    def at(self, parts: list[str]) -> str:
        """The topic with its parts filled in."""
        return _PLACE.sub(lambda found: parts[int(found[1])], self.text)

    def may_meet(self, other: TopicFilter) -> bool:
        """Whether a topic of this pattern may match the filter, whatever the parts are.

        >>> TopicPattern("a/{0}/c", 1).may_meet(TopicFilter("a/b/+"))
        True
        """
        levels = [_PLACE.sub("\0", level) for level in self.text.split("/")]
        wanted = other.levels
        if wanted[-1] == REST:
            wanted = wanted[:-1]
            levels = levels[: len(wanted)]
        return len(levels) == len(wanted) and all(
            want == ONE or _may_be(level, want) for level, want in zip(levels, wanted, strict=True)
        )


def _may_be(level: str, want: str) -> bool:
    """Whether a level with places (NUL) in it may become `want`."""
    pattern = ".*".join(re.escape(piece) for piece in level.split("\0"))
    return re.fullmatch(pattern, want, re.DOTALL) is not None


def _check_text(text: str) -> None:
    if not text or "\0" in text or len(text.encode("utf-8", "replace")) > _LONGEST_BYTES:
        raise ValueError("a topic has 1 to 65,535 bytes, none of them zero")
