"""The constants of a C program: tables that stay in flash, in the form that the file has."""

import numpy as np

C_TYPES = {
    "float32": "float",
    "bool": "uint8_t",
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "float16": "uint16_t",
}
"""By the type of an array; halves are kept by their bits, as C99 has no type for them."""

_A_LINE = 12


class Flash:
    """Tables that are written once, whoever asks for them."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, bytes], str] = {}
        self._texts: list[str] = []
        self.bytes = 0

    def table(self, values: np.ndarray) -> str:
        """The name of a table with these values; equal tables are one.

        Args:
            values: Of a type in `C_TYPES`; flattened row by row.
        """
        flat = np.ascontiguousarray(values).reshape(-1)
        key = flat.dtype.name, flat.tobytes()
        if key not in self._names:
            name = self._names[key] = f"k{len(self._names)}"
            kind = C_TYPES[flat.dtype.name]
            self._texts.append(f"static const {kind} {name}[{flat.size}] = {{\n{_body(flat)}}};\n")
            self.bytes += flat.nbytes
        return self._names[key]

    def at(self, values: np.ndarray) -> str:
        """C text of the value at `i`: a literal where all are alike."""
        flat = values.reshape(-1)
        if flat.tobytes() == flat[:1].tobytes() * flat.size:
            return literal(flat[0])
        return f"{self.table(values)}[i]"

    def text(self) -> str:
        """All tables as C."""
        return "\n".join(self._texts)


def literal(value: np.generic) -> str:
    """A number as C: of float32 the shortest decimal that reads as the same number.

    >>> literal(np.float32(0.1)), literal(np.float32(-np.inf)), literal(np.int8(-3))
    ('0.1f', '-INFINITY', '-3')
    """
    if not isinstance(value, np.floating):
        return str(int(value))
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    text = np.format_float_scientific(np.float32(value), unique=True, trim="0")
    short = str(np.float32(value))
    return f"{short if 'e' not in short else text}f"


def smallest(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers in the smallest type that holds them all, without a sign if none has one."""
    low, high = (int(numbers.min(initial=0)), int(numbers.max(initial=0)))
    for kind in (np.uint8, np.uint16) if low >= 0 else (np.int8, np.int16):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return numbers.astype(kind)
    return numbers.astype(np.int32)


def _body(flat: np.ndarray) -> str:
    numbers = flat.view(np.uint16) if flat.dtype == np.float16 else flat
    texts = [literal(value) for value in numbers]
    lines = [", ".join(texts[k : k + _A_LINE]) for k in range(0, len(texts), _A_LINE)]
    return "".join(f"    {line},\n" for line in lines)
