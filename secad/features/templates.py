"""Template mining: the constant part of each message as a template, the rest as its parameters.

Messages enter as Arrow strings; a template id and the parameters of each leave. Of the parts in
``mining``, a compiled pass brings every message to a canonical form and a keyed hash of it
(``canonical``); a table that lives between batches knows the template of each form seen before
(``memory``); only forms never seen go to the miner, which is Drain (``drain``); a compiled walk
takes the parameters out of the messages (``parameters``).

**Ids.** A template's id is a digest of the scope and of the form that opened it. It never
changes, over batches, restarts and machines, although the text may become more general: a token
at which lines of the template differ becomes the wildcard ``<*>``. Where templates turn out to be
one (five user names at one place are no longer five words but a slot), the oldest goes on, and
the others' ids are *aliases* of its id from then on: ``aliases`` names them, and who reads rows
that were assigned before puts the one for the other. Rows are never written again.

**Frozen.** ``recognise`` assigns without learning: a line that is in no template as it is has the
id NEW, whose text is ``<*>`` and whose one parameter is the line.

**Parameters.** In a template's text each ``<*>`` is a slot, a masked value or a wildcard, and a
line's parameters fill the slots in order, so that ``render`` gives the line back up to runs of
whitespace. The text is the one that the template has when the line is read, the line itself
included: a line's parameters depend on the lines before it and never on how they were cut into
batches. When a token becomes a wildcard, lines from there on have its slot; the lines before,
which all had the token's constant there, have not, and their lists are mostly of another length.

**Limits.** An attacker who writes endless distinct lines gets no further than this: the first
128 tokens and 2,048 bytes of a form count, the rest of a line is one value, as is a token of more
than 256 bytes; beyond ``max_templates`` a form that fits no template is in the overflow template,
whose text is ``<*>`` and whose one parameter is the line; beyond ``max_forms`` new forms are
mined each time that they come, at some microseconds each.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Self

import numpy as np
import pyarrow as pa

from secad.base.errors import SchemaError, StoreError
from secad.base.ids import digest
from secad.features.mining.canonical import Canonical, canonicalise, form_texts
from secad.features.mining.drain import (
    MAX_TEMPLATES,
    OVERFLOW,
    WILDCARD,
    BoundedDrain,
    Merger,
    Widening,
    Wildcards,
)
from secad.features.mining.memory import MAX_FORMS, NOT_KEPT, FormMemory
from secad.features.mining.parameters import Widenings, parameters
from secad.features.mining.siphash import KEY_BITS, Hashes
from secad.features.mining.slots import Numbers
from secad.features.mining.state import pack, unpack
from secad.features.mining.values import MASK
from secad.features.spans import Places

TEMPLATES = pa.schema(
    [
        pa.field("template_id", pa.string(), nullable=False),
        pa.field("template", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),  # lines
    ]
)

NEW = "new"
"""The template id of a line that is in none of the templates, where these are frozen."""

_MASK = chr(MASK)
_HEADER = {
    "scope": str,
    "key": str,
    "max_templates": int,
    "max_forms": int,
    "openings": list,
    "wildcards": list,
    "merged": list,
    "sizes": list,
}


@dataclass(frozen=True)
class Assigned:
    """The templates of a batch of N messages.

    Args:
        template_id: (N,) string, null where the message is.
        params: (N,) list<string>, null where the message is.
    """

    template_id: pa.StringArray
    params: pa.ListArray


@dataclass(frozen=True)
class Learnt:
    """What a batch of N messages is known to be, before its columns are made.

    Args:
        canonical: the messages.
        numbers: (N,) their templates; beyond the last one where a line is in none.
        ids: of all templates, by their numbers, and NEW.
        wildcards: (T, 2) of all templates before the batch, a bit for each token.
        widenings: what the batch changed of them.
    """

    canonical: Canonical
    numbers: Numbers
    ids: pa.StringArray
    wildcards: Wildcards
    widenings: Widenings

    @property
    def new(self) -> int:
        """How many lines are in no template."""
        return int(np.count_nonzero(self.numbers == len(self.wildcards)))

    def assigned(self) -> Assigned:
        """Returns the columns; a pure function, which may run in threads."""
        template_id = self.ids.take(pa.array(self.numbers))
        known = np.where(self.numbers < len(self.wildcards), self.numbers, np.int32(OVERFLOW))
        params = parameters(self.canonical, known, self.wildcards, self.widenings)
        present = self.canonical.present
        if present is None:
            return Assigned(template_id, params)
        places = pa.array(np.cumsum(present) - 1, mask=~present)
        return Assigned(template_id.take(places), params.take(places))


class TemplateMiner:
    """Mines the templates of one scope (a dataset); see the module.

    Args:
        scope: part of each template's id.
        key: 128 secret bits for the hash of forms; drawn at random where it is None.
        max_templates: how many are opened.
        max_forms: how many are remembered.
    """

    def __init__(
        self,
        scope: str,
        key: int | None = None,
        *,
        max_templates: int = MAX_TEMPLATES,
        max_forms: int = MAX_FORMS,
    ) -> None:
        self.scope = scope
        self.key = secrets.randbits(KEY_BITS) if key is None else key
        self._drain = BoundedDrain(max_templates, self.key)
        self._memory = FormMemory(max_forms)
        self._ids = [digest([scope, None], person="template")]  # of each template, by its number
        self._wildcards = np.zeros((1, 2), dtype=np.uint64)  # of each, a bit for each token
        self._sizes = np.zeros(1, dtype=np.int64)
        self._roots = np.zeros(1, dtype=np.int32)  # the template that each is part of, or itself

    def assign(self, messages: pa.StringArray) -> Assigned:
        """Returns the templates of messages, having learnt from them in their order.

        It is ``canonicalise``, ``learn`` and ``Learnt.assigned`` in one.

        Args:
            messages: (N,) string, nulls allowed.

        Raises:
            SchemaError: the messages are not strings.
        """
        return self.learn(self.canonicalise(messages)).assigned()

    def canonicalise(self, messages: pa.StringArray) -> Canonical:
        """Returns the hashed forms of messages; changes nothing, so that it may run in threads.

        Args:
            messages: (N,) string, nulls allowed.

        Raises:
            SchemaError: the messages are not strings.
        """
        return canonicalise(messages, self.key)

    def learn(self, canonical: Canonical) -> Learnt:
        """Returns the templates of messages by their numbers, having learnt from them.

        The one step that must see the batches one after the other, and a quick one.

        Args:
            canonical: by this miner's ``canonicalise``.
        """
        forms, fresh = self._memory.number(canonical.hashes)
        mined = self._drain.mine(form_texts(canonical, fresh))
        for form in mined.opened:
            self._name(form)
        self._make_room()
        first_seen = forms[fresh] != NOT_KEPT
        self._memory.keep(canonical.hashes[fresh[first_seen]], mined.numbers[first_seen])
        numbers = self._memory.templates_of(forms)
        numbers[fresh] = mined.numbers
        self._merge(numbers, fresh, mined.mergers)
        self._sizes += np.bincount(numbers, minlength=len(self._sizes))
        before, widenings = self._wildcards, _by_rows(mined.widenings, fresh)
        self._wildcards = before.copy()
        for number, words in zip(widenings.numbers, widenings.wildcards, strict=True):
            self._wildcards[number] = words
        return Learnt(canonical, numbers, self._known_ids(), before, widenings)

    def recognise(self, canonical: Canonical) -> Learnt:
        """Returns the templates of messages as ``learn`` does, but learns nothing.

        Args:
            canonical: by this miner's ``canonicalise``.
        """
        forms = self._memory.find(canonical.hashes)
        numbers = self._memory.templates_of(forms)
        strange = np.flatnonzero(forms == NOT_KEPT)
        _, first, again = np.unique(
            canonical.hashes[strange], return_index=True, return_inverse=True
        )
        texts = form_texts(canonical, strange[first])
        numbers[strange] = self._drain.recognise(texts, len(self._ids))[again]
        known = numbers < len(self._ids)
        numbers[known] = self._roots[numbers[known]]
        return Learnt(canonical, numbers, self._known_ids(), self._wildcards, _by_rows([], strange))

    def templates(self) -> pa.Table:
        """Returns TEMPLATES as they are now, in the order in which they were opened."""
        sizes = np.zeros_like(self._sizes)
        np.add.at(sizes, self._roots, self._sizes)
        numbers = np.flatnonzero(sizes).tolist()
        return pa.table(
            [
                [self._ids[number] for number in numbers],
                [self._text(number) for number in numbers],
                sizes[numbers],
            ],
            schema=TEMPLATES,
        )

    def aliases(self) -> dict[str, str]:
        """Returns the id that stands for each id of a template that became part of another."""
        return {self._ids[part]: self._ids[into] for part, into in self._drain.into.items()}

    def state(self) -> bytes:
        """Returns all that ``from_state`` needs to go on as if the miner had never stopped."""
        header = {
            "scope": self.scope,
            "key": f"{self.key:032x}",
            "max_templates": self._drain.limit,
            "max_forms": self._memory.limit,
            "openings": list(self._drain.openings),
            "wildcards": [
                [int(number), *self._wildcards[number].tolist()]
                for number in np.flatnonzero(self._wildcards.any(axis=1))
            ],
            "merged": [[part, into] for part, into in sorted(self._drain.into.items())],
            "sizes": self._sizes.tolist(),
        }
        return pack(header, *self._memory.kept())

    @classmethod
    def from_state(cls, state: bytes) -> Self:
        """Returns the miner whose ``state`` this is.

        Raises:
            StoreError: the state is damaged, or of a newer secad.
        """
        try:
            return cls._restored(*unpack(state))
        except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
            raise StoreError(
                f"the state of a template miner contradicts itself: {error}"
            ) from error

    @classmethod
    def _restored(cls, header: dict[str, Any], hashes: Hashes, numbers: Numbers) -> Self:
        for name, kind in _HEADER.items():
            if not isinstance(header[name], kind):
                raise TypeError(f"{name} is {header[name]!r}, not of type {kind.__name__}")
        limits = {name: header[name] for name in ("max_templates", "max_forms")}
        miner = cls(header["scope"], int(header["key"], 16), **limits)
        for form in header["openings"]:
            miner._name(form)
        miner._make_room()
        for number, *words in header["wildcards"]:
            miner._wildcards[number] = words
        for number, form in enumerate(header["openings"], start=1):
            miner._drain.replay(form, miner._wildcards[number].tolist())
        for part, into in header["merged"]:
            miner._drain.merge(part, into)
            miner._roots[part] = into
        miner._sizes += np.array(header["sizes"], dtype=np.int64).reshape(len(miner._ids))
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(miner._ids):
            raise ValueError(f"a form is in none of the {len(miner._ids)} templates")
        miner._memory.restore(hashes, numbers)
        return miner

    def _merge(self, numbers: Numbers, rows: Places, mergers: Sequence[Merger]) -> None:
        """Puts in place of merged templates, in the lines from which on they are, their wholes.

        Args:
            numbers: (N,) the templates of lines, as they were opened; changed.
            rows: of the forms by which templates were merged.
            mergers: in their order.
        """
        start = 0
        for form, found in groupby(mergers, key=lambda merger: merger.form):
            row = int(rows[form])
            numbers[start:row] = self._roots[numbers[start:row]]
            for merger in found:
                self._roots[self._roots == merger.number] = merger.into
            start = row
        if self._drain.into:
            numbers[start:] = self._roots[numbers[start:]]

    def _known_ids(self) -> pa.StringArray:
        return pa.array([*self._ids, NEW])

    def _name(self, form: str) -> None:
        """Gives the template that a form opened its id."""
        text = form.replace(_MASK, WILDCARD)
        self._ids.append(digest([self.scope, text], person="template"))

    def _make_room(self) -> None:
        """Makes room in the arrays for the templates that were opened."""
        new = len(self._ids) - len(self._sizes)
        own = np.arange(len(self._roots), len(self._ids), dtype=np.int32)
        self._wildcards = np.concatenate([self._wildcards, np.zeros((new, 2), dtype=np.uint64)])
        self._sizes = np.concatenate([self._sizes, np.zeros(new, dtype=np.int64)])
        self._roots = np.concatenate([self._roots, own])

    def _text(self, number: int) -> str:
        if number == OVERFLOW:
            return WILDCARD
        return self._drain.text(number).replace(_MASK, WILDCARD)


def _by_rows(widenings: Sequence[Widening], rows: Places) -> Widenings:
    """Returns widenings by the rows of their forms."""
    changed = np.array([widening.form for widening in widenings], dtype=np.int64)
    numbers = np.array([widening.number for widening in widenings], dtype=np.int32)
    words = [widening.wildcards for widening in widenings]
    return Widenings(rows[changed], numbers, np.array(words, dtype=np.uint64).reshape(-1, 2))


def render(template: str, params: Sequence[str]) -> str:
    """Returns the message that a template and its parameters stand for, up to runs of whitespace.

    Args:
        template: its text as it was when the message was read.
        params: what fills its slots, in order.

    Raises:
        SchemaError: the template has more or fewer slots.

    >>> render("Accepted <*> for <*> from <*>", ["password", "root", "10.0.0.7"])
    'Accepted password for root from 10.0.0.7'
    """
    pieces = template.split(WILDCARD)
    if len(pieces) != len(params) + 1:
        raise SchemaError(
            f"template {template!r} has {len(pieces) - 1} slots, for {len(params)} parameters"
        )
    filled = [text for pair in zip(pieces, [*params, ""], strict=True) for text in pair]
    return "".join(filled)
