"""Files that one program writes, or that hold one program's syslog lines only.

Such a format recognises its files and hands their lines to the parts that read all syslog lines,
so that ``postfix`` in a file of its own and in /var/log/syslog become the same events. Lines in a
framing of the program's own (BIND's ``20-Nov-2026 10:00:00.123 queries: info: ...``) are framed
here as if they were syslog lines of that program.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.protocols import ParseContext, Parsed
from secad.collect.columns import by_pieces, lines_of, without_comments
from secad.collect.syslog.events import events_of
from secad.collect.text import Text, decode
from secad.features.phrases import Found, Phrase, PhraseBook
from secad.features.spans import Bytes, Places, buffer_of, gather
from secad.features.syslog_frame import frame, rewrap, span
from secad.features.syslog_tag import (
    HOST,
    IS_YEARLESS,
    IS_ZONED,
    MESSAGE,
    MICROS,
    NONE,
    PID,
    PROGRAM,
    STATUS,
    TAGGED,
    UNTAGGED,
)

# above what the syslog format says of the same lines (0.95), the surer the more are the program's
_SURE, _SURER = 0.955, 0.035
_LEAST_SHARE = 0.5


@dataclass(frozen=True)
class OwnFile:
    """One program's files.

    Args:
        marks: bytes of which a head holds at least one, looked for before anything is read.
        programs: RE2 pattern of the programs' names; a line of one of them is of this format.
        program: the name that lines in a framing of its own get; empty where there are none.
        headers: that framing, as phrases with ``{time:...}``, ``{message:rest}`` and perhaps
            ``{host_name}``.
        words: RE2 pattern of the program's own messages: a line that could also be another's
            syslog line is the program's where it fits.
    """

    marks: tuple[bytes, ...]
    programs: str
    program: str = ""
    headers: tuple[str, ...] = ()
    words: str = ""

    def matches(self, head: bytes) -> float:
        """Returns how sure it is that most lines of a head are the program's."""
        if not any(mark in head for mark in self.marks):
            return 0.0
        text = decode(without_comments(lines_of(head)))
        count = text.lines.num_rows + text.rejects.num_rows
        if not text.lines.num_rows:
            return 0.0
        data, frames = self._framed(text)
        framed = np.count_nonzero(frames[:, STATUS] >= UNTAGGED) / count
        share = float(np.count_nonzero(self._named(data, frames)) / count)
        return float(framed * (_SURE + _SURER * share)) if share > _LEAST_SHARE else 0.0

    def parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        """Returns the events and the rejects of LINES rows."""
        return by_pieces(lines, lambda piece: self._parse(piece, context))

    def _parse(self, lines: pa.RecordBatch, context: ParseContext) -> Parsed:
        text = decode(lines)
        return events_of(text, *self._framed(text), context)

    def _named(self, data: Bytes, frames: Places) -> npt.NDArray[np.bool_]:
        """Returns (N,) which lines name one of the programs."""
        return _fits(gather(data, *span(frames, PROGRAM)), self.programs)

    def _framed(self, text: Text) -> tuple[Bytes, Places]:
        # the program's name stands behind each line, for lines that do not hold it to point at
        data, ends = buffer_of(pc.binary_join_element_wise(text.text, self.program, ""))
        size = len(self.program)
        places = np.stack([ends[:-1], np.diff(ends) - size])
        frames = frame(data, places)
        if self.headers and places.shape[1]:
            names = np.stack([ends[1:] - size, np.full(places.shape[1], size)])
            self._adopt(data, frames, places, names)
        return data, frames

    def _adopt(self, data: Bytes, frames: Places, places: Places, names: Places) -> None:
        """Frames the lines that have the program's own framing."""
        others = ~self._named(data, frames)
        found = self._book.match(data, np.where(others, places, NONE))
        own = others & (found.rule >= 0)
        doubtful = own & (frames[:, STATUS] >= UNTAGGED)
        if doubtful.any():
            own[doubtful] = _fits(found.where(doubtful).column("message"), self.words)
        if own.any():
            adopted = _frames_of(found.where(own), names[:, own], frames.shape[1])
            rewrap(data, adopted)
            frames[own] = adopted

    @cached_property
    def _book(self) -> PhraseBook:
        return PhraseBook([Phrase(header) for header in self.headers])


def _fits(texts: pa.Array, pattern: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.fill_null(pc.match_substring_regex(texts, pattern), False))


def _frames_of(found: Found, names: Places, width: int) -> Places:
    """Returns (N, width) frames of lines in a program's own framing."""
    frames = np.full((len(found.matches), width), NONE, dtype=np.int64)
    frames[:, STATUS] = TAGGED
    frames[:, MICROS] = found.micros
    frames[:, IS_ZONED], frames[:, IS_YEARLESS] = found.zoned, found.yearless
    for part, spans in (
        (PROGRAM, names),
        (HOST, found.spans("host_name")),
        (PID, found.spans("process_pid")),
        (MESSAGE, found.spans("message")),
    ):
        frames[:, part : part + 2] = spans.T
    return frames
