"""Texts as C string literals."""

_PLAIN = {ord(c) for c in " !#$%&'()*+,-./:;<=>@[]^_`{|}~"} | {
    code for code in range(128) if chr(code).isalnum()
}


def quoted(text: str) -> str:
    r"""A string literal of a text's UTF-8; what could mean something else in C is told by number.

    >>> print(quoted('a"b'), quoted("µ1"), quoted("??/"))
    "a\042b" "\302\2651" "\077\077/"
    """
    return '"' + "".join(chr(b) if b in _PLAIN else f"\\{b:03o}" for b in text.encode()) + '"'


def comment(text: str) -> str:
    """A text that may stand in a comment."""
    return text.replace("*/", "* /").replace("/*", "/ *")
