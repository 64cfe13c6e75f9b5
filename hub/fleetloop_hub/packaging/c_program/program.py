"""The files of a C program: model.h, model.c, its golden vectors, and what runs them anywhere."""

from dataclasses import dataclass
from importlib import resources
from string import Template

import numpy as np

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.c_program import function, reference
from fleetloop_hub.packaging.c_program.flash import literal
from fleetloop_hub.packaging.c_program.function import Function
from fleetloop_hub.packaging.c_program.signature import class_names, predict, tables
from fleetloop_hub.packaging.c_program.statements import ARENAS
from fleetloop_hub.packaging.c_program.texts import comment, quoted
from fleetloop_shared.manifest import Manifest

_FILLED = ("model.h", "model_golden.h", "model_reference.h", "README.md")
_COPIED = (
    "main.c",
    "model_profile.c",
    "model_profile.h",
    "model_rows.c",
    "model_rows.h",
    "Makefile",
)


@dataclass(frozen=True)
class Program:
    """A model as C.

    Attributes:
        files: Content by name.
        table_bytes: Of its tables in flash.
        work_bytes: Of the memory it works in.
    """

    files: dict[str, bytes]
    table_bytes: int
    work_bytes: int


def program(manifest: Manifest, artifact: bytes) -> Program:
    """A signed artifact as a C program; the same artifact gives the same files.

    Args:
        manifest: What is signed about it.
        artifact: The ONNX file.

    Raises:
        UnsupportedModelError: It does not fit; the text says why, and what would.
    """
    if not manifest.golden.outputs:
        raise UnsupportedModelError(
            f"{manifest.model} {manifest.version} has no golden outputs: release it again"
        )
    if any(abs(label) >= 2**31 for label in manifest.signature.classes):
        raise UnsupportedModelError("a class whose number does not fit into 32 bits")
    made = function.write(artifact, len(manifest.signature.features))
    known = _facts(manifest, made) | reference.facts(manifest)
    texts = {name: _template(name) for name in _COPIED}
    texts |= {name: Template(_template(name)).substitute(known) for name in _FILLED}
    texts["model.c"] = _source(manifest, made)
    texts["model_reference.c"] = reference.source(manifest)
    files = {name: text.encode() for name, text in texts.items()}
    return Program(files, made.flash_bytes, made.work_bytes)


def _template(name: str) -> str:
    folder = resources.files("fleetloop_hub.packaging.c_program") / "templates"
    return (folder / name).read_text("utf-8")


def _facts(manifest: Manifest, made: Function) -> dict[str, str | int]:
    signature, golden = manifest.signature, manifest.golden
    members = [f"    {kind} {ARENAS[kind]}[{count}];" for kind, count in sorted(made.work.items())]
    return {
        "title": comment(f"{manifest.model} {manifest.version}"),
        "sha": manifest.sha256,
        "flash": made.flash_bytes,
        "work": made.work_bytes,
        "name": quoted(manifest.model),
        "version": manifest.version,
        "features": len(signature.features),
        "outputs": made.outputs,
        "classes": len(signature.classes),
        "named": len(class_names(signature)) or 1,
        "has_names": int(bool(signature.class_names)),
        "members": "\n".join(members or ["    char none;"]),
        "rows": len(golden.inputs),
        "tolerance": repr(golden.tolerance),
        "inputs": _rows([[np.nan if v is None else v for v in row] for row in golden.inputs]),
        "expected": _rows(golden.outputs),
    }


def _source(manifest: Manifest, made: Function) -> str:
    head = '#include "model.h"\n\n#include <math.h>\n'
    return "\n".join([head, made.text, tables(manifest.signature), predict(manifest.signature)])


def _rows(rows: list[list[float]]) -> str:
    texts = [", ".join(literal(value) for value in np.array(row, np.float32)) for row in rows]
    return "\n".join(f"    {{{text}}}," for text in texts)
