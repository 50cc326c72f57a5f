"""The picture fits its terminal, whatever its size, and says what it must."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from dashboards.terminal import lines
from dashboards.terminal.frame import Frame
from dashboards.terminal.screen import Heading, screen
from dashboards.terminal.view import STATUS_S, watch
from tests.dashboards.canned import CannedClient, reader

HEADING = Heading("constructed customers, live", "metrics http://127.0.0.1:9464/metrics")


def picture() -> Frame:
    return reader(CannedClient()).poll()


def drawn(width: int, height: int, frame: Frame | None, heading: Heading = HEADING) -> list[str]:
    console = Console(record=True, width=width, height=height, file=io.StringIO())
    console.print(screen(frame, heading, width, height), height=height, end="")
    return console.export_text().rstrip("\n").split("\n")


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 45), (200, 60), (40, 12), (20, 4)])
def test_it_fits(size: tuple[int, int]) -> None:
    width, height = size
    found = drawn(width, height, picture())
    assert len(found) <= height
    assert max(len(line) for line in found) <= width


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
def test_it_says_what_it_must(size: tuple[int, int]) -> None:
    text = "\n".join(drawn(*size, picture()))
    for said in (
        *("constructed customers, live", "http://127.0.0.1:9464/metrics", "14:13:20 UTC"),
        *("sent 4,330 > accepted 4,325 = scored 4,325 > stored 4,321", "newest stored 1.5 s old, lag 5"),
        *("signals 1,234", "given up 4 (1 silent", "switches 6 (4 forced)", "alerts 4"),
        *("3f9ac2b1", "claim/details", "86", "1.8", "91%", "form_error 52", "too"),
        *("effort 2 minutes ago -> now", "39 -> 86   +47 + form_error 2, - step_completed"),
        *("38 -> 26   -12 - purchase", "active in the last 5 minutes"),
        *("by journey: active customers, median effort, above 50", "claim        1  86 100%"),
        *("human_now by default", "effort 71, CES 2.7, need 91%", "effort +2.1", "switch_forced +1.0"),
        *("by phone; do not ask: policy_number, damage_date",),
        *("switched forced", "web > phone, charged to details"),
    ):
        assert said in text, said
    assert size == (80, 24) or "abandoned queue  d0d0d0d0 claim: short, after 3 s" in text
    assert "3f9ac2b1" * 4 not in text
    assert "╭" not in text


def test_before_the_first_event_it_says_that_it_waits() -> None:
    assert "waiting for the first events" in "\n".join(drawn(80, 24, None))


def test_a_replay_shows_the_time_that_the_file_has_reached() -> None:
    text = "\n".join(drawn(80, 24, picture(), HEADING._replace(replay=True)))
    assert "2026-09-21 14:13 UTC" in text
    assert "old" not in text.split("on the move")[0]


@pytest.mark.parametrize(
    ("height", "left_out"),
    [(21, ""), (20, "given up, recovered"), (17, "by journey"), (15, "alerts: who"), (11, "highest effort")],
)
def test_the_least_important_section_goes_first(height: int, left_out: str) -> None:
    text = "\n".join(drawn(80, height, picture()))
    assert "on the move" in text
    assert (left_out == "") == ("given up, recovered" in text)
    assert not left_out or left_out not in text


def test_rises_and_falls_share_the_lines_and_neither_leaves_any_empty() -> None:
    frame = picture()
    many = frame._replace(rises=frame.rises * 9, falls=frame.falls * 9)
    for found, expected in (
        (many, (3, 2)),
        (many._replace(falls=frame.falls), (4, 1)),
        (many._replace(rises=()), (0, 5)),
    ):
        section = "\n".join(drawn(80, 24, found)).split("by journey")[0]
        assert (section.count("▲"), section.count("▼")) == expected


def test_where_nobody_moves_it_says_so() -> None:
    text = "\n".join(drawn(80, 24, picture()._replace(rises=(), falls=(), journeys=())))
    assert "nobody's effort moved" in text
    assert "nobody active" in text


def test_the_status_names_who_moved_most() -> None:
    assert lines.status(picture()).endswith(
        "; most up: 3f9ac2b1 claim 39 -> 86 (+ form_error 2, - step_completed);"
        " most down: 00ff00ff a-journey-with-quite-a-long-name 38 -> 26 (- purchase)"
    )


def test_plain_lines_tell_all_that_is_new_once() -> None:
    looking = reader(CannedClient())
    told = list(lines.news(looking.poll()))
    assert len(told) == 6
    assert "switched forced: 3f9ac2b1 claim: web > phone, charged to details" in told[3]
    assert told[5].split(" ", 1)[1] == (
        "alert raised human_now by default: 3f9ac2b1 claim/details, effort 71, CES 2.7, need 91%;"
        " form_error 40 | effort +2.1, switch_forced +1.0; by phone; do not ask: policy_number, damage_date"
    )
    assert list(lines.news(looking.poll())) == []


def test_a_flood_is_cut_and_counted() -> None:
    frame = picture()
    told = list(lines.news(frame._replace(fresh=frame.fresh * 20)))
    assert len(told) == lines.MOST + 1
    assert told[0] == f"... {len(frame.fresh) * 20 - lines.MOST} earlier ones"


def test_history_is_counted_not_told_but_a_replay_is_all_history() -> None:
    frame = picture()
    later = frame._replace(now=frame.now + lines.NEWS_MS)
    assert list(lines.news(later)) == ["... 6 earlier ones"]
    assert len(list(lines.news(later, replay=True))) == 6


def test_the_summary_counts_every_kind() -> None:
    told = "\n".join(lines.summary(picture()))
    for said in (
        *("sent 4,330", "4: form 3 (2 recovered), conversation 1 (1 silent)", "6: forced 4, chosen 2"),
        *("4: human_now 3 (3 default), watch 1 (1 preference)", "not_json 2", "claim/details  form_error 52"),
        "claim: 1 customers in the last 5 minutes, median effort 86, 100% above 50",
    ):
        assert said in told, said


def test_without_a_terminal_lines_come_as_things_do_and_a_status_every_five_seconds() -> None:
    out, waited = io.StringIO(), []

    def wait(seconds: float) -> bool:
        waited.append(seconds)
        return sum(waited) > 2 * STATUS_S

    looking = reader(CannedClient())
    last = watch(looking.poll, HEADING, wait, Console(file=out, width=80))
    told = out.getvalue().splitlines()
    assert last is not None
    assert sum(" status " in line for line in told) == 2
    assert len(told) == 6 + 2
    assert "\x1b" not in out.getvalue()


def test_on_a_terminal_the_screen_is_put_right_again_whatever_happens() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=80, height=24)

    def wait(seconds: float) -> bool:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        watch(reader(CannedClient()).poll, HEADING, wait, console)
    assert out.getvalue().index("\x1b[?1049h") < out.getvalue().index("\x1b[?1049l")
