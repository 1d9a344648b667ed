"""Filters: the rules of seed 000, section 0.3, and nothing that escapes its parentheses."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.schema.filters import Filter, compose, where_clause

CONDITIONS = st.sampled_from(
    [
        "a = 1",
        "a = 1 or b = 2",
        "a = ')'",
        "s like '%9999%'",
        "a = 'it''s (' -- half (",
        "a in (1, 2) /* ) */",
        '"odd)" = 1',
        "a = 1 # MySQL",
        "a = $$)$$",
    ]
)


@pytest.mark.parametrize("nothing", [None, "", "  ", [], ["", " \n"], ()])
def test_nothing_means_all_rows(nothing):
    """Absent, empty and blank filters are no filter."""
    assert compose(nothing) == Filter()
    assert where_clause(compose(nothing)) == ""


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ("a = 1", "(a = 1)"),
        ("WHERE a = 1", "(a = 1)"),
        ("  where\n a = 1 ", "(a = 1)"),
        ("where(a = 1)", "((a = 1))"),
        ("AND a = 1", "(a = 1)"),
        (["a = 1", "b = 2"], "(a = 1) AND (b = 2)"),
        (["WHERE a = 1", "", "AND b = 2"], "(a = 1) AND (b = 2)"),
        (["a = 1", "WHERE b = 2"], "(a = 1) AND (b = 2)"),
        (["a = 1", "or b = 2"], "((a = 1) OR (b = 2))"),
        (["OR a = 1", "b = 2"], "(a = 1) AND (b = 2)"),
        (["a = 1 or a = 2", "b = 2"], "(a = 1 or a = 2) AND (b = 2)"),
        ("order_id = 1", "(order_id = 1)"),
        ("android = 1", "(android = 1)"),
        ("a = 1 -- why", "(a = 1 -- why\n)"),
        ("a = 'x;y'", "(a = 'x;y')"),
        (r"a like '100\%'", r"(a like '100\%')"),
    ],
)
def test_where_items_are_joined_in_order(given, where):
    """First words are taken off case-insensitively, OR joins with OR, everything else with AND."""
    assert compose(given) == Filter(where)


def test_qualify_items_stand_apart():
    """QUALIFY items follow all WHERE items, wherever they stand in the list."""
    items = ["qualify row_number() over (order by a) = 1", "a > 0", "QUALIFY b > 1 or c"]
    composed = compose(items)
    assert composed == Filter("(a > 0)", "(row_number() over (order by a) = 1) AND (b > 1 or c)")
    assert where_clause(composed) == (" WHERE (a > 0)\n QUALIFY (row_number() over (order by a) = 1) AND (b > 1 or c)")
    assert where_clause(compose(items[0])) == " QUALIFY (row_number() over (order by a) = 1)"


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ("1=1) OR (1=1", "parentheses"),
        ("(a = 1", "parentheses"),
        ("a = 1)", "parentheses"),
        ("a = ')' )", "parentheses"),
        ("a = 1;", "semicolon"),
        ("a = 1; -- end", "semicolon"),
        ("a = 'open", "quote"),
        (r"a = 'it\'s'", "doubled"),
        ("a = 1 /* open", "comment"),
        ("a = 1 /* /* */ ) */", "comment"),
        ("WHERE", "no condition"),
        ("AND -- later", "no condition"),
        ("QUALIFY", "no condition"),
    ],
)
def test_nonsense_is_refused_with_a_reason(item, reason):
    """What cannot stand in parentheses is refused, and the message names the item."""
    with pytest.raises(ValueError, match=rf"filter item 2 .*{reason}"):
        compose(["a = 1", item])


@pytest.mark.parametrize("given", [[1], ["a = 1", None], [["a = 1"]], b"a = 1"])
def test_items_that_are_no_text_are_refused(given):
    """A number or a nested list in the YAML is an error, not its text."""
    with pytest.raises(ValueError, match="not text"):
        compose(given)


@given(st.lists(st.tuples(st.sampled_from(["", "AND ", "or ", "WHERE "]), CONDITIONS), min_size=1, max_size=5))
def test_each_item_keeps_its_own_parentheses(items):
    """The composed text is the items in order, each whole between its own parentheses."""
    rest = compose([word + text for word, text in items]).where
    for _, text in items:
        before, found, rest = rest.partition(text)
        assert found
        assert before.replace("\n", "").endswith("(")
        assert rest.removeprefix("\n").startswith(")")
    assert rest.strip("\n)") == ""


@given(
    st.lists(st.tuples(st.sampled_from(["", "or "]), st.sampled_from(["x", "not x", "y", "x or y -- (", "x and y"])))
)
def test_composed_filters_select_what_the_items_say(items):
    """With the database as judge: joining the filter to another predicate by AND keeps its meaning."""
    composed = compose([word + text for word, text in items])
    truths = {"x": lambda x, _: x, "not x": lambda x, _: not x, "y": lambda _, y: y}
    truths |= {"x or y -- (": lambda x, y: x or y, "x and y": lambda x, y: x and y}

    def expected(x, y):
        groups = [[]]
        for word, text in items:
            if word and groups != [[]]:
                groups.append([])
            groups[-1].append(truths[text](x, y))
        return any(all(group) for group in groups)

    rows = [(x, y) for x in (False, True) for y in (False, True)]
    sql = f"SELECT x, y FROM (VALUES {', '.join(map(str, rows))}) t(x, y)"
    with duckdb.connect() as db:
        kept = db.execute(f"{sql} WHERE {composed.where or 'true'} AND x").fetchall()
    assert sorted(kept) == [row for row in rows if expected(*row) and row[0]]
