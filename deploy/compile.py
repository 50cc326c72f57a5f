"""Compile the detectors, in place, with mypyc, and a few with Cython: what ``make setup`` does last.

The same files, typed, as one extension module; where there is no C compiler they run as they are, slower, and
this says so. Nothing is compiled again that has not changed.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
import tempfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = """
import sys
from Cython.Build import cythonize
from mypyc.build import mypycify
from setuptools import setup
group, in_c, flags, *files = sys.argv[1:]
in_c = in_c.split(",")
sys.argv[1:] = ["-q", "build_ext", "--build-lib", "lib", "--build-temp", "temp"]
modules = mypycify(["--ignore-missing-imports", *files], opt_level="2", group_name=group)
# Who reads the objects of the others finds their fields in the headers that were just written.
includes = [place for module in modules for place in module.include_dirs]
for module in cythonize(in_c, language_level=3, quiet=True):
    module.include_dirs += includes
    modules.append(module)
for module in modules:
    module.extra_compile_args += flags.split(",")
setup(name="detectors", ext_modules=modules)
"""

# Of the detectors' code an event needs more than a core's instruction cache holds. So calls within it and to
# Python are direct, and what happens only where something raises lies apart (cold.h).
FLAGS = [
    *("-fvisibility=hidden", "-fno-semantic-interposition", "-fno-plt"),
    *("-include", str(ROOT / "deploy" / "cold.h")),
]


def main() -> int:
    """Compile if need be; 0 also where plain Python has to do."""
    with (ROOT / "detectors" / "native.py").open() as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        return _compile()


def _compile() -> int:
    sys.path.insert(0, str(ROOT))
    from detectors import native

    wanted = native.digest()
    if native.COMPILED_NOTE.exists() and native.COMPILED_NOTE.read_text().strip() == wanted:
        return 0
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        _say("no C compiler: the detectors run as plain Python, several times slower")
        return 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        shutil.copytree(
            native.HERE, place / "detectors", ignore=shutil.ignore_patterns("*.so", "__pycache__")
        )
        files = [f"detectors/{path.name}" for path in native.sources()]
        for name in native.IN_C:
            _copy(place, name)
        # The name of the group is the library's: <group>__mypyc.
        group = native.GROUP.removesuffix("__mypyc")
        done = subprocess.run(
            [sys.executable, "-c", BUILD, group, ",".join(native.IN_C), ",".join(FLAGS), *files],
            cwd=place,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            _say(f"the detectors run as plain Python, several times slower; compiling them said:\n{tail}")
            return 0
        lib = place / "lib"
        # What runs just now keeps the old ones open; what starts meanwhile finds a note that does not fit.
        native.COMPILED_NOTE.unlink(missing_ok=True)
        for old in native.HERE.glob(f"*{EXTENSION_SUFFIXES[0]}"):
            old.unlink()
        for module in lib.rglob("*.so"):
            # That of the group is of no package; it lies with those that ask for it.
            home = native.HERE if module.parent == lib else ROOT / module.parent.relative_to(lib)
            (home / module.name).unlink(missing_ok=True)
            shutil.copy(module, home / module.name)
    native.COMPILED_NOTE.write_text(wanted + "\n")
    return 0


def _copy(place: Path, name: str) -> None:
    """A file and the beginnings of the packages that it is in, which tell its name."""
    file = place / name
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / name, file)
    for package in file.relative_to(place).parents[:-1]:
        (place / package / "__init__.py").touch()


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
