"""The doctor: looks at every part and setting, and says what is wrong and how to mend it.

The parts are looked at side by side and within one deadline, so that an answer comes within ten seconds even
when nothing at all is up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from streams.clock import monotonic
from streams.doctor import brokers, database, local
from streams.doctor.check import Check
from streams.errors import OperationError, SettingError
from streams.settings import Settings

__all__ = ["Check", "examine"]

# All of it; a command must answer within ten.
DEADLINE_S = 8.5

Part = Callable[[Settings], list[Check]]
PARTS: dict[str, Part] = {
    "this machine": local.examine,
    "kafka": brokers.examine,
    "clickhouse": database.examine,
}


def examine(load: Callable[[], Settings]) -> list[Check]:
    """Check the settings that ``load`` gives, and then each part; never raises for what is only wrong."""
    try:
        settings = load()
    except SettingError as error:
        return [Check("settings", "fail", str(error), f"correct {error.setting}, then ask again")]
    found: dict[str, list[Check]] = {}
    threads = [
        # Daemons: one that hangs must not keep the command from ending.
        threading.Thread(target=_look, args=(name, part, settings, found), daemon=True)
        for name, part in PARTS.items()
    ]
    deadline = monotonic() + DEADLINE_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - monotonic()))
    checks = [Check("settings", "ok", "complete and consistent")]
    for name in PARTS:
        late = Check(name, "fail", f"no answer within {DEADLINE_S:.0f} s", "see what it is waiting for")
        checks += found.get(name, [late])
    return checks


def _look(name: str, part: Part, settings: Settings, found: dict[str, list[Check]]) -> None:
    try:
        found[name] = part(settings)
    except (SettingError, OperationError) as error:
        found[name] = [Check(name, "fail", str(error))]
    except Exception as error:
        # A defect here must not hide what the other parts have found.
        found[name] = [Check(name, "fail", f"the check itself failed: {type(error).__name__}", "report this")]
