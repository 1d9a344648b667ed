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


# seed 002, section 2.15
ROOMS = ("run", "stage", "failures", "scripts")
WINDOWS, STAGE, FAILURES, SCRIPTS = (f"engine/test_windows_{room}.py" for room in ROOMS)
SEED_002 = {
    1: (
        "resume does not work",
        f"{WINDOWS}::test_fault_1_a_retry_goes_on_where_the_attempt_before_it_failed",
    ),
    2: ("runs are matched by date", f"{WINDOWS}::test_fault_2_a_failure_says_nothing_of_another_window"),
    3: (
        "each hour deletes the others of its day",
        f"{WINDOWS}::test_fault_3_a_window_that_is_loaded_again_touches_no_other",
    ),
    4: (
        "0/0 passes, duplicates pass",
        f"{WINDOWS}::test_fault_4_rows_that_are_missing_or_too_many_fail_the_audit",
        f"{WINDOWS}::test_an_empty_window_passes_where_all_three_were_asked",
        f"{SCRIPTS}::test_the_seeds_example",
        "engine/test_windows_audit.py::test_fault_4_duplicates_have_a_tolerance_of_their_own",
    ),
    5: (
        "rows are deleted that no archive has",
        f"{STAGE}::test_fault_5_what_is_deleted_was_archived_and_compared",
        f"{STAGE}::test_an_archive_that_is_not_like_its_stage_deletes_nothing",
    ),
    6: ("a crashed run stays RUNNING", f"{WINDOWS}::test_fault_6_a_run_whose_process_died_is_closed"),
    7: ("the set-up erases all history", "engine/test_publishing.py::test_fault_7_the_ddl_is_that_of_the_drive_table"),
    8: ("upper-case names, naive times", f"{SCRIPTS}::test_fault_8_what_a_script_is_given"),
    9: (
        "two grammars of durations, a first run that fails, months of 30 days",
        f"{WINDOWS}::test_fault_9_a_first_run_has_a_window",
        "windows/test_durations.py::test_every_form_is_read",
        "windows/test_grid.py::test_many_years_of_days_and_months",
    ),
    10: (
        "no catch-up, gaps told again and again and never filled, holes that nobody sees",
        f"{WINDOWS}::test_fault_10_catches_up_after_an_outage",
        f"{WINDOWS}::test_holes_that_nobody_will_fill_are_told_once_and_filled_when_asked",
        "windows/test_history.py::test_no_hole_and_no_overlap",
    ),
    11: ("a retry works on a failed row", f"{WINDOWS}::test_fault_11_a_row_that_ended_is_never_worked_on_again"),
    12: ("failures are classed by words", f"{FAILURES}::test_fault_12_words_decide_nothing"),
    13: (
        "an error message counts as success, alerts and backoff are never called, secrets not put in",
        f"{SCRIPTS}::test_fault_13_whatever_a_script_says_is_heard",
        f"{FAILURES}::test_what_may_pass_is_tried_again",
        "engine/test_windows_alerts.py::test_fault_13_a_pipeline_tells_what_its_file_says",
    ),
    14: (
        "two runs overlap, no dry run",
        f"{WINDOWS}::test_fault_14_two_runs_of_one_pipeline_do_not_overlap",
        "cli/test_dry_run.py::test_fault_14_a_dry_run_of_windows_changes_nothing",
    ),
}
PROOFS = [("000", fault, *proofs) for fault, (_, *proofs) in SEED_000.items()]
PROOFS += [("002", fault, *proofs) for fault, (_, *proofs) in SEED_002.items()]


@pytest.mark.parametrize("given", PROOFS, ids=lambda given: f"{given[0]}-{given[1]}")
def test_each_fault_has_its_test(given: tuple[str, int, *tuple[str, ...]]) -> None:
    """The test exists, and says what it claims."""
    _, _, *proofs = given
    assert proofs
    for proof in proofs:
        path, _, name = proof.partition("::")
        tree = ast.parse((HERE / path).read_text())
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in functions, proof
        assert ast.get_docstring(functions[name]), proof


def test_all_of_them() -> None:
    """Nineteen, and fourteen."""
    assert sorted(SEED_000) == list(range(1, 20))
    assert sorted(SEED_002) == list(range(1, 15))
