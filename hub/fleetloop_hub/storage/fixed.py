"""Records whose lists and dicts cannot be changed, so that all who read can be given the same ones.

A frozen struct still lets its lists be changed. Giving every reader a copy of thousands of records
costs more than all else that the hub does; a list that refuses costs nothing.
"""

from typing import Any, NoReturn, TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


def fixed(record: S) -> S:
    """The same record, all of whose lists and dicts refuse to be changed.

    Args:
        record: Nobody else holds it, nor anything in it.
    """
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, list | dict):
            msgspec.structs.force_setattr(record, name, _fixed(value))
        elif isinstance(value, msgspec.Struct):
            fixed(value)
    return record


class FixedList(list[Any]):
    """A list that refuses to be changed; what is made of it, a copy also, is a common one."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a list of a record that was kept: make a new one of it, and put that")

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[Any]]]:
        """As a common list, for `copy` and for another process."""
        return list, ([*self],)


class FixedDict(dict[Any, Any]):
    """The same of a dict."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a dict of a record that was kept: make a new one of it, and put that")

    __setitem__ = __delitem__ = __ior__ = _refuse
    pop = popitem = clear = update = setdefault = _refuse

    def __reduce__(self) -> tuple[type[dict[Any, Any]], tuple[dict[Any, Any]]]:
        """As a common dict, for `copy` and for another process."""
        return dict, ({**self},)


def _fixed(value: Any) -> Any:  # noqa: ANN401  # whatever JSON can carry
    if isinstance(value, list):
        return FixedList([_fixed(item) for item in value])
    if isinstance(value, dict):
        return FixedDict({key: _fixed(item) for key, item in value.items()})
    return fixed(value) if isinstance(value, msgspec.Struct) else value
