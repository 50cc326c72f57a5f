"""The simulator knows nothing of how events are judged."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "streams" / "simulate"


def _imported(path: Path) -> set[str]:
    """Every module that a file imports anywhere, in functions too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def _file(module: str) -> Path | None:
    place = ROOT.joinpath(*module.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None)


def test_no_import_leads_to_the_detectors() -> None:
    waiting = sorted(PACKAGE.rglob("*.py"))
    assert len(waiting) > 10
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for module in _imported(path):
            top = module.split(".")[0]
            assert top not in ("detectors", "dashboards", "tests"), (path, module)
            if top == "streams":
                assert not module.startswith(("streams.scenario", "streams.policies")), (path, module)
                waiting += [found for found in [_file(module)] if found]
    assert ROOT / "streams" / "errors.py" in seen, "the walk follows imports"


def test_nothing_of_them_is_loaded_or_read() -> None:
    names = sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))
    script = f"import sys, {', '.join(names)}; print([m for m in sys.modules if m.startswith('detectors')])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    for path in PACKAGE.rglob("*.*"):
        if path.suffix in (".py", ".toml"):
            assert "policy.toml" not in path.read_text("utf-8"), path
