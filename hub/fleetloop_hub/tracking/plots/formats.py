"""The kinds of files that pictures are written as."""

from typing import Literal

Format = Literal["svg", "png"]
