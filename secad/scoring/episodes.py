"""Episodes: who did something odd, from when to when, and how strong the evidence is.

SCORES and their EVENTS enter; episodes leave: runs of odd events of one acting entity on one
host in one view, cut where it is quiet for longer than a gap.

**How strong.** Views differ in size and in the scale of their scores, so an event counts by the
surprise of its p-value over behaviours, ``x = -log p`` (see ``calibrate``), which compares
between them. Beside it stands what the same actor did elsewhere: an intruder's process is odd in
how it starts, in what it opens and in where it connects to, while a false alarm is mostly odd in
one way. The best of each other view adds half of what it has beyond ``p = 0.1``; half, since
the views of one actor are not independent. An actor here is the process itself where events
say which (``process_entity_id``), so that one of fifty svchost.exe is not lent the other 49.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from secad.base.errors import ModelError
from secad.base.picking import pick
from secad.base.schemas import EVENT_ID
from secad.scoring.calibrate import Calibration

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
MEMBER_P = 0.25  # an event this odd among the behaviours of its view belongs to an episode
_SUPPORT_P = 0.1  # what another view says counts from here on
_SUPPORT_SHARE = 0.5
_NOT_REMOTE = ("127.0.0.1", "::1", "0.0.0.0", "::", "localhost", "-")  # noqa: S104 - compared only

# Who acts, the first that an event has; a source address first where it came in from outside.
_ACTORS = (
    "process_executable",
    "user_name",
    "user_effective_name",
    "process_name",
    "source_domain",
    "user_target_name",
    "destination_ip",
    "service_name",
    "log_logger",
    "template_id",
)
_READ = (*_ACTORS, "source_ip", "host_name", "process_entity_id", "event_id")


@dataclass(frozen=True)
class Actors:
    """Who acts in each event.

    Args:
        kind: (N,) string, the EVENTS column that names the actor; null where nothing does.
        name: (N,) string, the actor.
        host: (N,) string, on which host; null where the event does not say.
        key: (N,) codes of kind, name and host, -1 where nothing names an actor.
        instance: (N,) codes of the process itself where events say which, else of ``key``.
    """

    kind: pa.Array
    name: pa.Array
    host: pa.Array
    key: Rows
    instance: Rows

    def key_of(self, event: int) -> dict[str, str | None]:
        """Returns who acts in one event, in clear: the host, and the actor by its column."""
        return {
            "host_name": self.host[event].as_py(),
            self.kind[event].as_py(): self.name[event].as_py(),
        }


@dataclass(frozen=True)
class Episodes:
    """E episodes of the members among N scored events.

    Args:
        members: (K,) places of the members, episode by episode, by time within each.
        edges: (E + 1,) where each episode starts among the members.
        strongest: (E,) place of the event that makes each.
        strength: (E,) its strength, in nats.
        support: (E,) how many other views speak against its actor.
        quiet: how many actors of a view have no episode.
        nameless: how many odd events name no actor, and are in no episode.
        actors: of the N events.
    """

    members: Rows
    edges: Rows
    strongest: Rows
    strength: Values
    support: Rows
    quiet: int
    nameless: int
    actors: Actors

    def of(self, episode: int) -> Rows:
        """Returns the members of one episode, by time."""
        return self.members[self.edges[episode] : self.edges[episode + 1]]


def find_episodes(
    scores: pa.Table, events: pa.Table, calibration: Calibration, *, gap_s: float, own: bool
) -> Episodes:
    """Returns the episodes of scored events.

    Args:
        scores: SCORES, N rows.
        events: EVENTS rows, the scored ones among them.
        calibration: of the model that gave the scores.
        gap_s: seconds of quiet after which the same actor starts another episode.
        own: the scores are those that the calibration was fitted on.
    """
    named = [name for name in _READ if name in events.column_names]
    actors = acting(pick(events.select(named), places_behind(scores, events)))
    view = scores["view"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    p = calibration.p_behaviours(scores, own=own)
    strength, support = _strength(-np.log(p), view, actors.instance)
    unit = view * (actors.key.max(initial=0) + 1) + actors.key
    known = actors.key >= 0
    odd = p <= MEMBER_P
    members = np.flatnonzero(odd & known)
    times = scores["time_start"].cast(pa.int64()).to_numpy()
    members = members[np.lexsort((members, times[members], unit[members]))]
    starts = _starts(unit[members], times[members], int(gap_s * 1e6))
    strongest = _first_of_each(members, starts, strength, scores["score"].to_numpy())
    return Episodes(
        members=members,
        edges=np.append(starts, len(members)),
        strongest=strongest,
        strength=strength[strongest],
        support=support[strongest],
        quiet=len(np.unique(unit[known])) - len(np.unique(unit[members])),
        nameless=int((odd & ~known).sum()),
        actors=actors,
    )


def places_behind(scores: pa.Table, events: pa.Table) -> Rows:
    """Returns for each of SCORES the place of its event, or of the first of its members.

    Raises:
        ModelError: an event is missing.
    """
    first = pc.list_element(scores["member_ids"].combine_chunks(), 0)
    places = pc.index_in(first, events["event_id"].combine_chunks().cast(EVENT_ID))
    if places.null_count:
        raise ModelError(f"{places.null_count} of {len(places)} scored events are not in the table")
    return np.asarray(places.to_numpy(), dtype=np.int64)


def acting(events: pa.Table) -> Actors:
    """Returns who acts in each event."""
    kind, name = _remote_source(events)
    for column in _ACTORS:
        values = _text(events, column)
        kind = pc.if_else(pc.and_(pc.is_null(name), pc.is_valid(values)), column, kind)
        name = pc.coalesce(name, values)
    host = _text(events, "host_name")
    key = codes([kind, name, host])
    key[np.asarray(pc.is_null(name))] = -1
    process = _text(events, "process_entity_id")
    instance = np.where(
        np.asarray(pc.is_valid(process)), codes([process, host]), -2 - codes([kind, name, host])
    )
    return Actors(kind, name, host, key, np.unique(instance, return_inverse=True)[1])


def _remote_source(events: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Returns the source address of what came in from outside, null elsewhere."""
    source = _text(events, "source_ip")
    local = pc.is_in(source, pa.array(_NOT_REMOTE))
    outgoing = pc.is_valid(_text(events, "destination_ip"))
    name = pc.if_else(pc.or_(local, outgoing), None, source)
    return pc.if_else(pc.is_valid(name), "source_ip", None), name


def _strength(x: Values, view: Rows, instance: Rows) -> tuple[Values, Rows]:
    """Returns the strength of each event, (N,), and how many other views support it."""
    pair = instance * (view.max(initial=0) + 1) + view
    _, of_row = np.unique(pair, return_inverse=True)
    best = np.zeros(of_row.max(initial=-1) + 1)
    np.maximum.at(best, of_row, np.maximum(x + np.log(_SUPPORT_P), 0.0))
    first = np.unique(of_row, return_index=True)[1]
    total = np.bincount(instance[first], weights=best, minlength=instance.max(initial=-1) + 1)
    views = np.bincount(instance[first], weights=best > 0, minlength=len(total))
    others = np.maximum(total[instance] - best[of_row], 0.0)
    support = views[instance] - (best[of_row] > 0)
    return x + _SUPPORT_SHARE * others, support.astype(np.int64)


def _starts(unit: Rows, times: Rows, gap_us: int) -> Rows:
    """Returns where episodes start among members sorted by unit and time."""
    if not len(unit):
        return np.zeros(0, dtype=np.int64)
    new = (np.diff(unit) != 0) | (np.diff(times) > gap_us)
    return np.append(0, np.flatnonzero(new) + 1)


def _first_of_each(members: Rows, starts: Rows, strength: Values, score: Values) -> Rows:
    """Returns the strongest member of each episode; of equal ones the highest score, the first."""
    episode = np.zeros(len(members), dtype=np.int64)
    episode[starts[1:]] = 1
    episode = np.cumsum(episode)
    place = np.arange(len(members))
    order = np.lexsort((place, -score[members], -strength[members], episode))
    return members[order[starts]]


def _text(events: pa.Table, name: str) -> pa.Array:
    if name not in events.column_names:
        return pa.nulls(len(events), pa.string())
    values = events[name].cast(pa.string()).combine_chunks()
    return pc.if_else(pc.equal(values, ""), None, pc.utf8_lower(values))


def codes(columns: Sequence[pa.Array]) -> Rows:
    """Returns (N,) codes of the combinations of values, null being one."""
    found = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        values = column.dictionary_encode(null_encoding="encode")
        found = found * (len(values.dictionary) + 1) + values.indices.to_numpy()
        found = np.unique(found, return_inverse=True)[1].astype(np.int64)
    return found
