"""What a user asks of ``rehuman calibrate``: one value, the same for every target."""

from __future__ import annotations

from pathlib import Path

import msgspec

from streams.settings import Settings

__all__ = ["Request"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One command line, checked as far as it can be without reading the files."""

    settings: Settings
    source: str
    files: tuple[Path, ...]
    #: As it was written, such as ``recontact=3600,max=30``.
    target_text: str
    policy_out: Path
    #: The policy whose sections stay; the built-in one where there is none.
    base: Path | None = None
    #: Event time in ms: what is fitted lies between, and no outcome after ``until`` is looked at.
    start: int | None = None
    until: int | None = None
    #: Rows from here on are kept apart from the fit and only reported.
    holdout: int | None = None
    report_out: Path | None = None
    pictures: Path | None = None
    #: Names of features; empty for all that may be used.
    features: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    with_protected: tuple[str, ...] = ()
    #: Pairs of features that may act together.
    pairs: tuple[tuple[str, str], ...] = ()
    live: bool = False
    #: Whether other half-lives of effort than the base's are tried, too.
    half_lives: bool = False
    #: Of ``abandon``: the kind of wait, queue, form or cart.
    wait: str = "queue"
    seed: int = 1

    @property
    def target(self) -> str:
        """The target's name, such as ``recontact``."""
        return self.target_text.partition("=")[0].strip()
