"""Which build of the detectors runs: compiled, or the same files as plain Python.

``deploy/compile.py`` turns the files named by :func:`sources` and those of :data:`IN_C`, two of which are of
``streams/``, into extension modules beside them, and notes what it compiled. Both builds give the same
results; the compiled one is several times faster. It is used only if it was made of exactly these files for
exactly this interpreter: who edits one runs plain Python until `make setup` has compiled it again, never what
it was before. ``DETECTORS=pure`` in the environment asks for plain Python.

>>> "effort" in [path.stem for path in sources()], "native" in [path.stem for path in sources()]
(True, False)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from hashlib import sha256
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location, spec_from_loader
from pathlib import Path
from types import ModuleType

__all__ = ["COMPILED_NOTE", "GROUP", "IN_C", "SWITCH", "digest", "enable", "sources"]

SWITCH = "DETECTORS"
HERE = Path(__file__).parent
COMPILED_NOTE = HERE / "compiled.txt"
# The module that holds the code of all of them; the others are doors to it.
GROUP = "detectors__mypyc"
# Structs of msgspec stay as they are, so does what is not worth it.
PLAIN = frozenset(
    [
        *("__init__", "native", "envelope", "records", "examples", "clock", "breaker", "quick"),
        *("policy_model", "policy_fitted", "policy_parts"),
    ]
)
# Written for Cython, from the root of the project on; they include what ends in .pxi here.
IN_C = (
    "detectors/_quick.pyx",
    "detectors/_records.pyx",
    "detectors/_rows.pyx",
    "detectors/_scan.pyx",
    "streams/_large.pyx",
    "streams/lanes/_unpack.pyx",
)


def sources() -> list[Path]:
    """The files that are compiled."""
    return sorted(path for path in HERE.glob("*.py") if path.stem not in PLAIN)


def digest() -> str:
    """Of the files, their names, and the interpreter that they are compiled for."""
    found = sha256(f"{sys.implementation.cache_tag} {EXTENSION_SUFFIXES[0]}".encode())
    in_c = [*(HERE.parent / name for name in IN_C), *sorted(HERE.glob("*.pxi"))]
    for path in [*sources(), *in_c]:
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def enable() -> str:
    """Make imports find the build that is to run; "compiled" or "pure"."""
    library = HERE / f"{GROUP}{EXTENSION_SUFFIXES[0]}"
    try:
        current = COMPILED_NOTE.read_text().strip() == digest()
    except OSError:
        current = False
    if current and library.exists() and os.environ.get(SWITCH) != "pure":
        # The doors ask for it by its bare name, wherever this directory may lie.
        spec = spec_from_loader(GROUP, ExtensionFileLoader(GROUP, str(library)))
        if spec is not None and spec.loader is not None:
            module = module_from_spec(spec)
            sys.modules[GROUP] = module
            spec.loader.exec_module(module)
            return "compiled"
    if any(HERE.glob(f"*{EXTENSION_SUFFIXES[0]}")):
        sys.meta_path.insert(0, _Sources())
    return "pure"


class _Sources:
    """Finds the source of a module although an extension lies beside it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of ``detectors.<module>``; None for all others."""
        package, _, module = name.rpartition(".")
        file = HERE / f"{module}.py"
        return spec_from_file_location(name, file) if package == "detectors" and file.exists() else None
