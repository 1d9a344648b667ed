"""The faults that the design sets out to beat, and the test of each: one that vanishes is missed here."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent

# seed 000, section 0.10: the fault in a few words, and where it is proved that we have it not
SEED_000 = {
    1: ("obfuscated exports cannot be imported", "engine/test_obfuscation.py::test_an_import_finds_them_by_itself"),
    2: (
        "an added column crashes the alert",
        "schema/test_drift.py::test_fault_2_an_added_column_does_not_crash_the_alert",
    ),
    3: (
        "nullability, position and key changes are not seen",
        "schema/test_drift.py::test_fault_3_nullability_position_and_primary_key_are_seen",
    ),
    4: (
        "a type change is swallowed",
        "schema/test_drift.py::test_fault_4_a_type_change_is_told_and_not_swallowed",
        "engine/test_extraction.py::test_fault_4_a_type_change_is_told_archived_and_logged",
    ),
    5: (
        "a second archive of a day overwrites the first",
        "engine/test_extraction.py::test_fault_5_archives_of_one_day_do_not_overwrite_each_other",
    ),
    6: (
        "verification compares upper with lower case, and no types",
        "schema/test_drift.py::test_fault_6_upper_and_lower_case_of_one_name_are_one_column_and_types_are_compared",
    ),
    7: ("quoted names do not match their columns", "conformance/target.py::test_every_kind_comes_back_equal"),
    8: ("defaults are copied as they are", "schema/test_defaults.py::test_postgres_takes_them"),
    9: (
        "a plain manifest tells names and queries",
        "engine/test_obfuscation.py::test_nothing_can_be_read_off_a_medium",
    ),
    10: ("names can be guessed", "engine/test_obfuscation.py::test_nothing_can_be_read_off_a_medium"),
    11: ("chunks can be swapped", "engine/test_tampering.py::test_refused"),
    12: ("plain files stay, whole files in memory", "engine/test_no_plaintext.py::test_no_plaintext"),
    13: (
        "a failed import makes the next one skip chunks",
        "engine/test_chains.py::test_fault_13_a_failed_load_of_one_parcel_skips_nothing_of_the_next",
        "engine/test_histories.py::test_the_target_ends_as_the_source_is",
    ),
    14: (
        "readers see an empty table, failures exit with 0",
        "conformance/target.py::test_readers_see_all_old_or_all_new_rows",
        "engine/test_phases.py::test_audit",
    ),
    15: (
        "the mark moves before arrival, is compared as text, misses updates and deletes",
        "engine/test_chains.py::test_fault_15_a_delivery_that_was_lost_is_brought_again",
        "engine/test_chains.py::test_fault_15_marks_are_compared_as_what_they_are",
        "engine/test_chains.py::test_fault_15_deletes_reach_the_target",
        "engine/test_chains.py::test_fault_15_a_version_that_only_ends_is_seen",
        "conformance/source.py::test_a_watermark_cuts_without_a_hole",
    ),
    16: (
        "added columns take the type of a chunk",
        "conformance/source.py::test_batches_have_the_schema_that_the_snapshot_says",
    ),
    17: (
        "a text becomes NULL, loads share a staging table, chunks commit alone",
        "conformance/target.py::test_every_kind_comes_back_equal",
        "conformance/target.py::test_who_lost_the_lease_cannot_publish",
        "conformance/target.py::test_a_landing_is_read_by_nobody",
    ),
    18: (
        "the passphrase is derived once a file",
        "engine/test_passphrase.py::test_an_import_asks_once_and_its_workers_open_the_parts",
    ),
    19: ("a schedule that nothing reads", "engine/test_standing.py::test_a_table_is_overdue_by_its_schedule"),
}


@pytest.mark.parametrize("fault", SEED_000)
def test_each_fault_has_its_test(fault: int) -> None:
    """The test exists, and says what it claims."""
    _, *proofs = SEED_000[fault]
    assert proofs
    for proof in proofs:
        path, _, name = proof.partition("::")
        tree = ast.parse((HERE / path).read_text())
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in functions, proof
        assert ast.get_docstring(functions[name]), proof


def test_all_of_them() -> None:
    """Nineteen."""
    assert sorted(SEED_000) == list(range(1, 20))
