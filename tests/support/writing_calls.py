"""Finds in source text whatever writes to a disk, as far as a syntax tree can show it."""

import ast
from collections.abc import Iterator
from typing import NamedTuple

_OS = """
    chmod chown copy_file_range ftruncate link makedirs mkdir mkfifo mknod pwrite pwritev remove
    removedirs rename renames replace rmdir sendfile symlink truncate unlink write writev
"""
_SHUTIL = """
    chown copy copy2 copyfile copyfileobj copymode copystat copytree make_archive move rmtree
    unpack_archive
"""
_OTHERS = """
    io.FileIO joblib.dump logging.FileHandler mmap.mmap numpy.lib.format.open_memmap numpy.memmap
    numpy.save numpy.savetxt numpy.savez numpy.savez_compressed onnx.save onnx.save_model
    onnxruntime.quantization.quantize_dynamic onnxruntime.quantization.quantize_static
    pyarrow.OSFile pyarrow.csv.CSVWriter pyarrow.csv.write_csv pyarrow.feather.write_feather
    pyarrow.ipc.new_file pyarrow.ipc.new_stream pyarrow.output_stream pyarrow.parquet.ParquetWriter
    pyarrow.parquet.write_table pyarrow.parquet.write_to_dataset shelve.open
    sqlite3.connect tarfile.open zipfile.ZipFile
"""
WRITERS = {
    *(f"os.{name}" for name in _OS.split()),
    *(f"shutil.{name}" for name in _SHUTIL.split()),
    *_OTHERS.split(),
}
"""Functions that write, by their full name; `tempfile` as a whole is added to them."""

_METHODS = """
    chmod hardlink_to lchmod mkdir rename rmdir savefig symlink_to to_csv to_feather to_json
    to_parquet tofile touch truncate unlink write_bytes write_text
"""
METHODS = set(_METHODS.split())
"""Methods that write, of whatever object: mostly a `Path`'s."""

_OPENERS = {"bz2.open", "codecs.open", "gzip.open", "io.open", "lzma.open", "open", "os.fdopen"}
"""Functions whose second argument is a mode; any other `.open` is taken for a `Path`'s."""

_FILE_ARGUMENTS = {"mode", "buffering", "encoding", "errors", "newline"}
_READ_ONLY = {"os.O_RDONLY", "os.O_RDONLY | os.O_DIRECTORY"}


class Found(NamedTuple):
    """A place that writes.

    Attributes:
        line: Its line, from 1.
        what: The function's full name, or a method's with a dot before it.
    """

    line: int
    what: str


def writing_calls(text: str) -> list[Found]:
    """Every place in a module's source that writes, by line.

    Names are followed through imports, not through assignments; a function that is only named, as
    to be called back, counts as well.
    """
    tree = ast.parse(text)
    names = _imported(tree)
    found = {
        Found(node.lineno, what)
        for node in ast.walk(tree)
        if isinstance(node, ast.expr)
        for what in _writes(node, names)
    }
    return sorted(found)


def _imported(tree: ast.AST) -> dict[str, str]:
    """What each name of the module stands for, in full."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                first = one.name.partition(".")[0]
                names[one.asname or first] = one.name if one.asname else first
        elif isinstance(node, ast.ImportFrom):
            for one in node.names:
                names[one.asname or one.name] = f"{node.module}.{one.name}"
    return names


def _writes(node: ast.expr, names: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from _called(node, names)
        return
    name = _full_name(node, names)
    if name in WRITERS or name.startswith("tempfile."):
        yield name
    elif isinstance(node, ast.Attribute) and not name and node.attr in METHODS:
        yield f".{node.attr}"


def _called(call: ast.Call, names: dict[str, str]) -> Iterator[str]:
    """What depends on the arguments: opening, and a `replace` that is not a text's."""
    name = _full_name(call.func, names)
    attribute = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name == "os.open":
        flags = [*call.args[1:2], *(k.value for k in call.keywords if k.arg == "flags")]
        if [ast.unparse(flag) for flag in flags] not in [[only] for only in _READ_ONLY]:
            yield name
    elif name in _OPENERS:
        if _may_write(call, 1):
            yield name
    elif attribute == "open" and not name:
        if _may_write(call, 0):
            yield ".open"
    elif attribute == "replace" and not name and len(call.args) == 1 and not call.keywords:
        yield ".replace"


def _may_write(call: ast.Call, place: int) -> bool:
    modes = [*call.args[place : place + 1], *(k.value for k in call.keywords if k.arg == "mode")]
    for mode in modes:
        if not (isinstance(mode, ast.Constant) and isinstance(mode.value, str)):
            # Other things have an `open` as well, with arguments of their own.
            return place == 1 or bool({k.arg for k in call.keywords} & _FILE_ARGUMENTS)
        if set(mode.value) & set("wax+"):
            return True
    return False


def _full_name(node: ast.expr, names: dict[str, str]) -> str:
    """The full name of an imported thing or a builtin, "" for anything else."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "open" if node.id == "open" else "")
    if isinstance(node, ast.Attribute):
        before = _full_name(node.value, names)
        return f"{before}.{node.attr}" if before else ""
    return ""
