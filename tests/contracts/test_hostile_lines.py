"""What bounds every format: lines made to be slow take a second per megabyte at most.

Time is the processor's, after a warm-up call, and the best of some, so that a busy machine does
not fail a format. The lines are small; what is quadratic is over the limit at this size already.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pyarrow as pa
import pytest

from secad import plugins
from secad.base.protocols import Format, Frames, HoldsBack, ParseContext
from secad.pipeline.alert_rows import AlertRows
from secad.scoring.alerts import AlertRules
from tests.contracts import alert_samples, samples
from tests.contracts.test_formats import lines_of

SIZE = 1 << 15
SECONDS_PER_BYTE = 1e-6
SECONDS_PER_HEAD = 0.25  # for all formats together to say whose a file is
TRIES = 4

Made = Callable[[list[bytes]], list[bytes]]


def run_of(piece: bytes) -> Made:
    """Makes one line of a piece again and again."""
    return lambda _: [(piece * (SIZE // len(piece) + 1))[:SIZE]]


def many(piece: bytes) -> Made:
    """Makes as many short lines as there is room for."""
    return lambda _: [piece] * (SIZE // (len(piece) + 1))


def deep(_: list[bytes]) -> list[bytes]:
    depth = 10_000
    objects, arrays = b'{"a":' * depth + b"1" + b"}" * depth, b"[" * depth + b"]" * depth
    return [objects[: len(objects) // 2], b'{"a":' + arrays + b"}"]


def pairs(_: list[bytes]) -> list[bytes]:
    return [b" ".join(b"k%d=v" % number for number in range(SIZE // 8))]


def members(_: list[bytes]) -> list[bytes]:
    return [b"{" + b",".join(b'"k%d":1' % number for number in range(SIZE // 10)) + b"}"]


def same_members(_: list[bytes]) -> list[bytes]:
    return [b"{" + b",".join([b'"time":1'] * (SIZE // 9)) + b"}"]


def stuttering(known: list[bytes]) -> list[bytes]:
    """Makes lines that begin like the format's own, again and again, and never get on."""
    each = SIZE // 16
    starts = [raw[: 1 + len(raw) // 3] for raw in known[:16]]
    return [(start * (each // len(start) + 1))[:each] for start in starts]


def glued(known: list[bytes]) -> list[bytes]:
    """Makes one line of the format's own lines."""
    line = b" ".join(known)
    return [(line * (SIZE // len(line) + 1))[:SIZE]]


def stretched(known: list[bytes]) -> list[bytes]:
    """Makes the format's own lines with a long run of one byte inside."""
    halves = [(raw[: len(raw) // 2], raw[len(raw) // 2 :]) for raw in known[:8] * 8]
    marks = [bytes([mark]) * (SIZE // 8) for mark in b' "=\\[{a0']
    return [first + run + last for (first, last), run in zip(halves, marks, strict=False)]


def cut_short(known: list[bytes]) -> list[bytes]:
    """Makes the starts of the format's own lines, cut at every seventh byte."""
    found: list[bytes] = []
    left = SIZE
    for raw in known:
        for end in range(0, len(raw), 7):
            found.append(raw[:end])
            left -= end + 1
            if left < 0:
                return found
    return found


RUNS = (
    *(
        b" ",
        b"a",
        b"1",
        b'"',
        b"\\",
        b"[",
        b"{",
        b"=",
        b",",
        b"|",
        b"\t",
        b":",
        b"%",
        b"<",
        b"\xff",
    ),
    *(b'"[\\', b'\\"', b'{"a":["', b'"a",', b"a ", b"a=", b"a\\=b|", b'a="', b"a='\\", b"\\u0000"),
    *("\u202e😀".encode(), b"1.1.", b"a@", b"((a)", b"-a", b"a/"),
)
SHORT = (b"", b"a", b"{", b'"', b"1 ", b"{}", b"#", b"a=b", b"\t\t")
HOSTILE: dict[str, Made] = {
    **{f"a run of {piece!r}": run_of(piece) for piece in RUNS},
    **{f"many lines {piece!r}": many(piece) for piece in SHORT},
    **{
        made.__name__: made
        for made in (deep, pairs, members, same_members, stuttering, glued, stretched, cut_short)
    },
}


def seconds(work: Callable[[], object], enough: float) -> float:
    """Returns the least processor time that ``work`` takes, tried until it takes ``enough``."""
    best = float("inf")
    for _ in range(TRIES):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
        if best <= enough:
            break
    return best


def slow_ones(
    form: Format, known: list[bytes], parse: Callable[[pa.RecordBatch], object]
) -> list[tuple[str, str, float]]:
    """Returns what took too long: lines, work, and seconds per megabyte."""
    found = []
    for name, made in HOSTILE.items():
        records = made(known)
        lines, data = lines_of(records), b"\n".join(records) + b"\n"
        works: dict[str, Callable[[], object]] = {"parse": lambda lines=lines: parse(lines)}  # type: ignore[misc]
        if isinstance(form, HoldsBack):
            works["hold_back"] = lambda lines=lines: form.hold_back(lines)  # type: ignore[misc]
        if isinstance(form, Frames) and form.is_framed(data[:SIZE]):
            works["frames"] = lambda data=data: [*form.frames(io.BytesIO(data), 1 << 20)]  # type: ignore[misc]
        enough = SECONDS_PER_BYTE * len(data)
        for what, work in works.items():
            took = seconds(work, enough)
            if took > enough:
                found.append((name, what, round(1e6 * took / len(data), 2)))
    return found


def known_lines(lines: pa.RecordBatch) -> list[bytes]:
    return [raw for raw in lines.column("raw").to_pylist()[:200] if raw]


@pytest.mark.parametrize("name", plugins.format_names())
def test_hostile_lines_take_a_second_per_megabyte(name: str) -> None:
    form, lines, context = samples.sample(name)
    form.parse(lines, context)

    def parse(hostile: pa.RecordBatch) -> None:
        check_counts(hostile, form, context)

    assert slow_ones(form, known_lines(lines), parse) == []


def check_counts(hostile: pa.RecordBatch, form: Format, context: ParseContext) -> None:
    parsed = form.parse(hostile, context)
    counted = parsed.events.num_rows + parsed.rejects.num_rows + parsed.joined + parsed.skipped
    assert counted == hostile.num_rows


@pytest.mark.parametrize("name", plugins.alert_format_names())
def test_hostile_alerts_take_a_second_per_megabyte(name: str) -> None:
    form, lines, context = alert_samples.sample(name)
    rows = AlertRows(form, AlertRules())
    rows.parse(lines, context)
    assert slow_ones(form, known_lines(lines), lambda hostile: rows.parse(hostile, context)) == []


@pytest.mark.parametrize("recognise", [plugins.recognise, plugins.recognise_alerts])
def test_hostile_heads_are_soon_refused_or_recognised(
    recognise: Callable[[bytes], object],
) -> None:
    known = [raw for name in ("syslog", "ecs") for raw in known_lines(samples.sample(name)[1])]
    recognise(b"{}\n")
    slow = []
    for name, made in HOSTILE.items():
        head = (b"\n".join(made(known)) * 2)[: 2 * SIZE]
        took = seconds(lambda head=head: recognise(head), SECONDS_PER_HEAD)  # type: ignore[misc]
        if took > SECONDS_PER_HEAD:
            slow.append((name, round(took, 3)))
    assert slow == []
