"""What happened in a story, a line each; equal stories have equal hashes."""

import hashlib


class Trace:
    """Takes lines in.

    Attributes:
        lines: The lines, if they are kept.
        now_s: Virtual seconds since the beginning.
    """

    def __init__(self, *, keep: bool = False) -> None:
        """Begin.

        Args:
            keep: Whether a person wants to read it.
        """
        self.lines: list[str] = []
        self.now_s = 0.0
        self._keep = keep
        self._digest = hashlib.sha256()

    def note(self, who: str, what: str) -> None:
        """Something has happened."""
        line = f"{self.now_s:7.2f} s  {who}: {what}"
        self._digest.update(line.encode() + b"\n")
        if self._keep:
            self.lines.append(line)

    @property
    def sha256(self) -> str:
        """Stands for all lines so far."""
        return self._digest.hexdigest()
