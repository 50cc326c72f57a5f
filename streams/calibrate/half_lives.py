"""Half-lives of effort, questioned: would others foretell the target better than the base policy's?

Acute effort is asked about first, then chronic effort at what was found. Each is tried at a quarter, a half,
twice and four times the base's; under each pair the history is folded again, a ridge is fitted to effort
alone in folds that go forward in time, and its log-loss on what followed is compared, row by row. Of a line
the least is taken where it is less by more than chance, over customers and corrected for how many were tried;
less than what stands, and less than no effort at all: where effort foretells nothing, fits to nothing differ,
too. Else what stands, stays.

>>> [written(ms) for ms in (300_000, 90_000, 129_600_000, 1_234)]
['5min', '90s', '36h', '1234ms']
>>> [one.words for one in around(Halves(1_200_000, 2_400_000), "acute")]
['5min and 40min', '10min and 40min']
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

import msgspec
import numpy as np

from detectors.durations import DAY, HOUR, MINUTE, SECOND
from detectors.policy import Policy, PolicyError, parse
from streams.calibrate.boosted import Boosted
from streams.calibrate.choose import Fold, folds_of
from streams.calibrate.data import Rows
from streams.calibrate.fitting import Choice
from streams.calibrate.model import validated
from streams.calibrate.shapes import Floats, solve_base
from streams.calibrate.text import with_fitted
from streams.errors import SettingError
from streams.targets import measures
from streams.targets.chance import LEVEL, holm, p_value
from streams.targets.measures import Interval

__all__ = [
    "FEATURES",
    "FOLDS",
    "Halves",
    "Searched",
    "Tried",
    "around",
    "check",
    "rewritten",
    "search",
    "written",
]

Line = Literal["acute", "chronic"]
LINES: Final[tuple[Line, ...]] = ("acute", "chronic")

FEATURES: Final = ("effort", "effort_acute", "effort_chronic", "effort_customer")
FACTORS: Final = (0.25, 0.5, 2.0, 4.0)
#: The base, each line, and the whole once more where something else was chosen.
FOLDS: Final = 2 + 2 * len(FACTORS)
# Of fewer the bootstrap takes chance for a difference: of 13 in 2 of 15 made-up histories in which the base
# was right, of 40 in none of 30.
LEAST_CUSTOMERS: Final = 30
# One strength for all: what is compared is the half-lives, not how strongly a fit is held back.
RIDGE: Final = Choice("ridge", 10.0, Boosted())
# Shorter than a second nothing happens to a person; a longer one no history tells from another.
SHORTEST, LONGEST = SECOND, 365 * DAY
WARNING: Final = (
    "Effort scores of all journeys change with the half-lives, and so does all that is made of them: alerts, "
    "and what any other section was fitted to."
)


class Halves(NamedTuple):
    """Both half-lives in ms."""

    acute: int
    chronic: int

    @property
    def words(self) -> str:
        """As in a sentence."""
        return f"{written(self.acute)} and {written(self.chronic)}"


class Tried(msgspec.Struct, frozen=True):
    """A pair of half-lives, beside no effort at all and beside what stood (its ``p`` is corrected)."""

    line: Literal["base", "acute", "chronic"]
    acute: str
    chronic: str
    log_loss: float | None
    beside_none: Interval | None = None
    difference: Interval | None = None
    p: float | None = None
    kept: bool = False


class Searched(NamedTuple):
    """The policy with what was chosen (the base itself where that stays), and the account of it."""

    policy: Policy
    account: dict[str, Any]


class _Looked(NamedTuple):
    """Half-lives, the log-loss of each row that was looked at, and its log-loss without effort."""

    halves: Halves
    losses: Floats
    none: Floats


def written(ms: int) -> str:
    """A duration as a policy has it, exactly, in the longest unit that needs no fraction."""
    for unit, length in (("d", DAY), ("h", HOUR), ("min", MINUTE), ("s", SECOND)):
        if ms % length == 0:
            return f"{ms // length}{unit}"
    return f"{ms}ms"


def around(at: Halves, line: Line) -> list[Halves]:
    """The others of one line; acute effort fades faster than chronic effort."""
    found = []
    for factor in FACTORS:
        one = at._replace(**{line: round(getattr(at, line) * factor)})
        if one.acute < one.chronic and SHORTEST <= getattr(one, line) <= LONGEST:
            found.append(one)
    return found


def rewritten(base: Policy, halves: Halves, target: str) -> Policy:
    """``base`` with these half-lives in its text. Raises SettingError where the text cannot take them."""
    text = base.text
    try:
        for line, ms in halves._asdict().items():
            if ms != getattr(_of(base), line):
                text = with_fitted(text, "effort", f"{line}_half_life", written(ms), target)
        return parse(text)
    except PolicyError as error:
        raise SettingError(f"--base: {error.key}", error.found, error.expected) from None


def check(base: Policy) -> None:
    """Raises SettingError for a text whose half-lives cannot be replaced, before anything is folded."""
    stood = _of(base)
    rewritten(base, Halves(stood.acute + SECOND, stood.chronic + SECOND), "reopen")


def search(
    base: Policy, name: str, target: str, gap: int, own: Rows, fold: Callable[[Policy], Rows]
) -> Searched:
    """Ask about both half-lives. ``own`` are the rows to fit under ``base``, ``fold`` gives them anew.

    Only these rows are looked at: none that was kept apart, nor what came of it.
    """
    stood = _of(base)
    folds = folds_of(name, own, FEATURES, (), gap)
    after = np.concatenate([np.zeros(0, np.int64), *(one.after for one in folds)])
    customers = [str(customer) for customer in own.customers[after]]
    if len(set(customers)) < LEAST_CUSTOMERS:
        folds = []
    now = _looked(stood, folds)
    if folds:
        rows = measures.Rows(own.positive[after], customers)
        tried = [_tried("base", now, rows)]
        for line in LINES:
            looked = [
                _looked(one, folds_of(name, fold(rewritten(base, one, target)), FEATURES, (), gap))
                for one in around(now.halves, line)
            ]
            told = _told(line, now, looked, rows)
            tried += told
            now = next((one for one, said in zip(looked, told, strict=True) if said.kept), now)
    else:
        tried = [Tried("base", written(stood.acute), written(stood.chronic), None)]
    found = now.halves
    policy = base if found == stood else rewritten(base, found, target)
    return Searched(policy, _account(stood, found, tried, len(now.losses), _others(base.text, name)))


def _of(policy: Policy) -> Halves:
    effort = policy.document.effort
    return Halves(int(effort.acute_half_life), int(effort.chronic_half_life))


def _looked(halves: Halves, folds: list[Fold]) -> _Looked:
    """Each stretch has a base of its own, as where a family is chosen."""
    losses, none = [np.zeros(0)], [np.zeros(0)]
    for one in folds:
        losses.append(_losses(one.truth, validated([one], RIDGE)))
        none.append(_losses(one.truth, np.zeros(len(one.truth))))
    return _Looked(halves, np.concatenate(losses), np.concatenate(none))


def _losses(truth: Floats, logits: Floats) -> Floats:
    logits = logits + solve_base(logits, truth)
    found: Floats = np.logaddexp(0.0, logits) - truth * logits
    return found


def _told(line: Line, now: _Looked, looked: list[_Looked], rows: measures.Rows) -> list[Tried]:
    """Each of a line beside what stands; the least is kept, if it is less by more than chance."""
    samples = [_samples(one.losses - now.losses, rows) for one in looked]
    values = [p_value(one) for one in samples]
    # Holm's within the line, and twice that as there are two lines.
    chances = [min(1.0, len(LINES) * one) for one in holm([1.0 if one is None else one for one in values])]
    least = min(range(len(looked)), key=lambda place: float(looked[place].losses.mean()), default=-1)
    found = []
    for place, one in enumerate(looked):
        told = _tried(line, one, rows)
        difference = measures.interval(samples[place])
        better = chances[place] < LEVEL and _less(difference) and _less(told.beside_none)
        kept = place == least and better
        found.append(msgspec.structs.replace(told, difference=difference, p=chances[place], kept=kept))
    return found


def _tried(line: Literal["base", "acute", "chronic"], one: _Looked, rows: measures.Rows) -> Tried:
    beside = measures.interval(_samples(one.losses - one.none, rows))
    loss = round(float(one.losses.mean()), 6)
    return Tried(line, written(one.halves.acute), written(one.halves.chronic), loss, beside)


def _samples(values: Floats, rows: measures.Rows) -> Floats:
    found: Floats = rows.ratios(values[:, None], np.ones((len(rows), 1)))[:, 0]
    return found


def _less(found: Interval | None) -> bool:
    return found is not None and found.high is not None and found.high < 0.0


def _others(text: str, name: str) -> list[str]:
    """Sections that were fitted to effort as it was, this target's own left out."""
    document = tomllib.loads(text)
    found = [f"targets.{one}" for one in document.get("targets", {}) if one != name]
    found += [f"survey_fit.{one}" for one in document.get("survey_fit", {})]
    return found + (["channel_fit"] if document.get("channel_fit", {}).get("intents") else [])


def _account(
    stood: Halves, found: Halves, tried: list[Tried], looked: int, others: list[str]
) -> dict[str, Any]:
    changed = found != stood
    return {
        "words": _words(stood, found, tried, looked),
        "warning": _warning(others) if changed else None,
        "fit_anew": others if changed else [],
        "before": {"acute": written(stood.acute), "chronic": written(stood.chronic)},
        "chosen": {"acute": written(found.acute), "chronic": written(found.chronic)},
        "changed": changed,
        "fitted": list(FEATURES),
        "by": RIDGE.words,
        "rows": looked,
        "tried": tried,
    }


def _words(stood: Halves, found: Halves, tried: list[Tried], looked: int) -> str:
    if not looked:
        return (
            f"The half-lives of effort stay {stood.words} (acute and chronic): too few bad outcomes or "
            f"customers (at least {LEAST_CUSTOMERS}) in folds in time, so no other was tried."
        )
    others = len(tried) - 1
    if found == stood:
        return (
            f"The half-lives of effort stay {stood.words} (acute and chronic): of {others} others, on "
            f"{looked:,} rows of validation, none was better by more than chance."
        )
    words = (
        f"The half-lives of effort are {found.words} (acute and chronic) instead of {stood.words}: of "
        f"{others} others, on {looked:,} rows of validation, better by more than chance."
    )
    ends = [line for line in ("acute", "chronic") if _at_end(getattr(stood, line), getattr(found, line))]
    if ends:
        words += (
            f" The {' and the '.join(ends)} one is the last that was tried: with --base of this policy "
            "the search goes on from there."
        )
    return words


def _at_end(stood: int, found: int) -> bool:
    return found in (round(stood * FACTORS[0]), round(stood * FACTORS[-1]))


def _warning(others: list[str]) -> str:
    anew = f" Fit anew: {', '.join(others)}." if others else ""
    return f"{WARNING}{anew}"
