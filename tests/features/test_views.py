from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from secad.features.tuples import ABSENT, UNKNOWN, distinct, encode, vocabularies
from secad.features.views import Rules, entity_columns, plan_views


def events(count: int, action: str = "start", provider: str | None = "made") -> dict[str, list]:
    """Returns columns that vary, are constant, unique or mostly absent."""
    return {
        "dataset": ["made"] * count,
        "event_provider": [provider] * count,
        "event_action": [action] * count,
        "user_name": [f"user{row % 3}" for row in range(count)],
        "host_name": ["one"] * count,  # constant
        "made_serial": [f"s{row}x" for row in range(count)],  # unique
        "made_seldom": ["a" if row % 9 == 0 else None for row in range(count)],  # mostly absent
        "made_kind": [f"k{row % 2}" for row in range(count)],
    }


def table(*parts: dict[str, list]) -> pa.Table:
    tables = [pa.table(part) for part in parts]
    return pa.concat_tables(tables, promote_options="permissive")


def test_a_view_takes_the_columns_that_are_filled_and_neither_constant_nor_unique() -> None:
    (view,) = plan_views(table(events(60))).views
    assert view.name == "made/made/start"
    assert "user_name" in view.columns
    assert "made_kind" in view.columns
    assert not {"host_name", "made_seldom"} & set(view.columns)
    assert "made_serial" not in view.columns  # unique; its masked form is constant


def test_of_one_source_no_column_doubles_another() -> None:
    programs = ["/usr/bin/id", "/tmp/x", "/opt/y"] * 20  # noqa: S108
    parents = ["/bin/a", "/bin/b", "/bin/c"] * 20
    both = {"process_executable": programs, "process_parent_executable": parents}
    (view,) = plan_views(pa.table(both)).views
    # a folder for each name says nothing more; a parent for each program is a habit
    assert view.columns == ("process_executable__name", "process_parent_executable__name")


def test_row_order_does_not_matter() -> None:
    made = table(events(60), events(40, "stop"), events(5, "rare"))
    order = np.random.default_rng(1).permutation(len(made))
    assert plan_views(made.take(pa.array(order))) == plan_views(made)


def test_small_kinds_are_pooled_by_provider_then_by_dataset() -> None:
    made = table(
        events(30, "start"),
        events(8, "few"),
        events(15, "more"),
        events(9, "lone", "other"),
        events(12, "alone", "third"),
    )
    found = plan_views(made)
    assert [view.name for view in found.views] == ["made/*/*", "made/made/*", "made/made/start"]
    assert "event_action" in found.views[1].columns
    assert {"event_action", "event_provider"} & set(found.views[0].columns)
    sizes = {view.name: len(rows) for view, rows in found.rows(made)}
    assert sizes == {"made/made/start": 30, "made/made/*": 23, "made/*/*": 21}


def test_a_kind_never_seen_goes_to_the_narrowest_pool() -> None:
    found = plan_views(table(events(30, "start"), events(8, "few"), events(15, "more")))
    later = table(events(2, "unheard of"), events(2, "start"))
    assert {view.name: rows.tolist() for view, rows in found.rows(later)} == {
        "made/made/*": [0, 1],
        "made/made/start": [2, 3],
    }


def test_what_is_too_little_is_told() -> None:
    found = plan_views(table(events(5)))
    assert found.views == ()
    assert found.inert == {"made/*/*": "5 events, at least 20 are needed"}
    plain = pa.table({"dataset": ["made"] * 30, "event_action": ["line"] * 30})
    (why,) = plan_views(plain).inert.values()
    assert "no column" in why


def test_a_table_without_kinds_or_rows_is_survived() -> None:
    assert plan_views(pa.table({"user_name": pa.array([], pa.string())})).views == ()
    (view,) = plan_views(pa.table({"user_name": ["a", "b"] * 30})).views
    assert view.name == "-/-/-"


def test_the_arity_is_capped_one_column_of_each_source_first() -> None:
    draw = np.random.default_rng(0)
    columns = {f"made_c{place}": draw.choice(["a", "b", "c"], 300) for place in range(9)}
    columns |= {"user_name": draw.choice(["root", "ann", "bob"], 300)}
    (view,) = plan_views(pa.table(columns), Rules(max_columns=6)).views
    assert len(view.columns) == 6
    assert len({column.partition("__")[0] for column in view.columns}) == 6


def test_values_are_coded_by_the_vocabulary_and_strangers_as_unknown() -> None:
    seen = entity_columns(pa.table({"user_name": ["bob", "ann", None, "ann"]}), 0)
    names = ["user_name", "made_gone"]
    values = vocabularies(seen, names)
    assert values[0].to_pylist() == [ABSENT, "ann", "bob"]
    assert encode(seen, names, values).tolist() == [[3, 1], [2, 1], [1, 1], [2, 1]]
    later = entity_columns(pa.table({"user_name": ["cyd", "ann"], "made_gone": ["x", None]}), 0)
    assert encode(later, names, values).tolist() == [[UNKNOWN, UNKNOWN], [2, 1]]


@given(
    st.integers(1, 4).flatmap(
        lambda size: st.lists(
            st.tuples(*[st.integers(0, 2**31 - 2)] * size), min_size=1, max_size=20
        )
    )
)
@settings(max_examples=50, deadline=None)
def test_distinct_rows_are_those_of_a_set(rows: list[tuple[int, ...]]) -> None:
    codes = np.array(rows, dtype=np.int32)
    found = distinct(codes)
    assert [tuple(row) for row in found.codes.tolist()] == sorted(set(rows))
    assert (found.codes[found.of_row] == codes).all()
    assert found.counts.tolist() == [rows.count(row) for row in sorted(set(rows))]
