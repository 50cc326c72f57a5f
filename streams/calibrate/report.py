"""What a calibration tells: the split, the choice and why, how well it foretells, what it learned, in words.

Where protected attributes were used, that comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from streams.calibrate import pictures, proof, words
from streams.calibrate.choose import Chosen
from streams.calibrate.data import Rows
from streams.calibrate.parts import GROWING, protected_names
from streams.calibrate.request import Request
from streams.calibrate.shapes import Floats
from streams.sources.api import rfc3339
from streams.targets import measures

if TYPE_CHECKING:
    from streams.calibrate.calibration import Fit, History

__all__ = ["Logits", "drawn", "made", "short"]


class Logits(NamedTuple):
    """``own`` are the policy's log-odds of the fitted rows; ``looked`` has several scores of ``rows``.

    ``other`` among them is the model with (or, where they were used, without) protected attributes, of the
    features ``others``.
    """

    own: Floats
    rows: Rows
    looked: dict[str, Floats]
    black_box: str
    others: Sequence[str]


def made(
    request: Request,
    history: History,
    names: Sequence[str],
    fit: Fit,
    logits: Logits,
    half_lives: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The report as plain data; ``half_lives`` is the account of them where they were questioned."""
    used = list(request.with_protected)
    other = "without_protected" if used else "with_protected"
    looked = {other if name == "other" else name: one for name, one in logits.looked.items()}
    model, section = fit.model, fit.section
    kept = [one.name for one in section.parts.bins]
    proven = bool(len(logits.rows)) and all(len(one) == len(logits.rows) for one in looked.values())
    return {
        "protected": {
            "used": used,
            "words": _protected(used),
            "compared_with": [name for name in logits.others if name in protected_names()],
        },
        "target": history.spec.text,
        "base_policy": "built-in" if request.base is None else str(request.base),
        "policy_out": str(request.policy_out),
        "policy_version": fit.policy.version,
        "split": {
            "fit": _span(history.fit),
            "holdout": None if history.apart is None else _span(history.apart),
            "gap_s": history.gap // 1000,
            "stretches": [len(part) for part in _stretches(model.chosen)],
        },
        **({} if half_lives is None else {"half_lives": half_lives}),
        "features": {
            "asked": list(names),
            "written": kept,
            "not_by_default": [name for name in GROWING if name not in names],
        },
        "chosen": {
            "words": model.chosen.choice.words,
            "why": _why(model.chosen),
            "tried": model.chosen.tried,
            "slope": round(model.slope, 3),
            "section_bytes": len(section.text.encode()),
            "policy_bytes": len(fit.policy.text.encode()),
        },
        "on_fitted_rows": _own(history.fit, logits.own),
        "proof": {
            "rows": "holdout"
            if history.apart is not None
            else "validation, each stretch told from before it",
            "black_box": logits.black_box,
            **(proof.proof(history.fit, logits.rows, looked, names) if proven else {}),
        },
        "learned": words.learned(history.spec.name, section.parts, section.shapes, _codes(history.fit, fit)),
    }


def drawn(directory: Path, history: History, fit: Fit, found: dict[str, Any]) -> None:
    """The shape functions and the reliability curve as SVG in ``directory``."""
    directory.mkdir(parents=True, exist_ok=True)
    name = history.spec.name
    section = fit.section
    title = f"{history.spec.text}: log-odds by feature"
    codes = _codes(history.fit, fit)
    pictures.shapes(directory / f"{name}-shapes.svg", title, section.parts, section.shapes, codes)
    if curve := found["proof"].get("reliability"):
        pictures.reliability(directory / f"{name}-reliability.svg", history.spec.text, curve)


def short(found: dict[str, Any]) -> list[str]:
    """The same in a few lines, for a terminal."""
    lines = [found["protected"]["words"]]
    fit, apart = found["split"]["fit"], found["split"]["holdout"]
    lines.append(
        f"{found['target']}: fitted to {_rows(fit)}; "
        + (f"kept apart: {_rows(apart)}" if apart else "nothing kept apart")
    )
    if "half_lives" in found:
        lines += _halves(found["half_lives"])
    chosen = found["chosen"]
    lines.append(f"chosen: {chosen['words']}; {chosen['why']}")
    count = len(found["features"]["written"])
    lines.append(f"written: {count} features, {chosen['section_bytes']:,} bytes, to {found['policy_out']}")
    proven = found["proof"]
    if "additive" in proven:
        lines.append(f"how well it foretells, on {proven['rows']}:")
        lines.append(f"  AUC {_interval(proven['additive']['auc'])}")
        lines.append(f"  {proven['black_box']}: AUC {_interval(proven['boosting']['auc'])}")
        for name in ("with_protected", "without_protected"):
            if name in proven:
                lines.append(f"  {name.replace('_', ' ')} attributes: AUC {_interval(proven[name]['auc'])}")
        lines.append(f"  the policy before: AUC {_interval(proven['policy_before']['auc'])}")
        name, best = next(iter(proven["singles"].items()))
        lines.append(f"  the best single feature ({name}): AUC {_interval(best['auc'])}")
        lines.append(f"  ahead of it by {_interval(best['difference'])}")
    lines.append("what it learned:")
    return lines + [f"  {sentence}" for sentence in found["learned"]]


def _halves(account: dict[str, Any]) -> list[str]:
    lines = [account["words"]]
    if account["warning"]:
        lines.append(f"Warning: {account['warning']}")
    for one in account["tried"]:
        if one.log_loss is None:
            continue
        beside = one.beside_none if one.difference is None else one.difference
        which = "no effort at all" if one.difference is None else "what stood"
        line = f"  {one.acute} and {one.chronic}: log-loss {one.log_loss:.4f}, {_interval(beside, 4)} beside "
        lines.append(line + which + ("; taken" if one.kept else ""))
    return lines


def _protected(used: Sequence[str]) -> str:
    if used:
        return f"Protected attributes are part of this score: {', '.join(used)}."
    return f"No protected attribute is part of this score ({', '.join(protected_names())} are left out)."


def _why(chosen: Chosen) -> str:
    if not chosen.tried:
        return "too few bad outcomes for folds in time, so the cautious one was taken"
    best = min(chosen.tried, key=lambda one: one.log_loss)
    own = next(one for one in reversed(chosen.tried) if one.what == chosen.choice.words)
    return (
        f"of {len(chosen.tried)} candidates over {len(_stretches(chosen))} stretches, each told from what "
        f"was known before it: log-loss {own.log_loss:.4f} (the least {best.log_loss:.4f}), AUC {own.auc:.3f}"
    )


def _stretches(chosen: Chosen) -> list[Any]:
    return list(np.split(np.arange(len(chosen.places)), chosen.ends[:-1])) if len(chosen.places) else []


def _span(rows: Rows) -> dict[str, Any]:
    return {
        "from": rfc3339(int(rows.times.min())),
        "until": rfc3339(int(rows.times.max())),
        "n": len(rows),
        "positives": int(rows.positive.sum()),
        "customers": len(np.unique(rows.customers)),
    }


def _own(rows: Rows, logits: Floats) -> dict[str, Any]:
    held = measures.Rows(rows.positive, [str(customer) for customer in rows.customers])
    return {"words": "rows it was fitted to: no proof", **held.ranked({"own": logits}).measures("own")}


def _codes(rows: Rows, fit: Fit) -> Any:
    return fit.section.parts.codes(rows)


def _rows(span: dict[str, Any]) -> str:
    return f"{span['n']:,} rows ({span['positives']:,} bad) from {span['from'][:10]} to {span['until'][:10]}"


def _interval(found: Any, digits: int = 3) -> str:
    low, high = (found.low, found.high)
    value = "none" if found.value is None else f"{found.value:.{digits}f}"
    return value if low is None or high is None else f"{value} ({low:.{digits}f} to {high:.{digits}f})"
