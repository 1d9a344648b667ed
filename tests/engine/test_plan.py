"""The plan: a value that decides everything and knows no secret."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from landbridge.config.project import load_project
from landbridge.engine.plan import Plan, load_id, plan_export, plan_import, plan_run
from tests.engine.projects import WAREHOUSE, declare, make_project, table

SECRET = "correct-horse"
POSTGRES = f"postgres: {{type: postgres, host: db.example, database: d, user: u, password: {SECRET}}}"


def plans(folder: Path) -> tuple[Plan, Plan, Plan]:
    project = load_project(folder, {})
    declared = project.table("prices")
    arrival = plan_import(declared, project.imports, "prices/" + "0" * 32, as_of=None, again=False)
    return plan_run(project, declared), plan_export(project, declared), arrival


def project(folder: Path) -> Path:
    return make_project(folder, WAREHOUSE, POSTGRES, tables=[table("prices", source=", filter: id > 1")])


def test_digest_is_stable(tmp_path: Path) -> None:
    """The same declarations give the same digest, in this process, through pickle, and in another process."""
    folder = project(tmp_path)
    digests = [plan.digest() for plan in plans(folder)]
    assert len(set(digests)) == 3
    assert [plan.digest() for plan in plans(folder)] == digests
    assert [pickle.loads(pickle.dumps(plan)).digest() for plan in plans(folder)] == digests  # noqa: S301 - our own
    code = (
        "import sys; from pathlib import Path; from tests.engine.test_plan import plans;"
        "print(*(plan.digest() for plan in plans(Path(sys.argv[1]))))"
    )
    other = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
    assert other.stdout.split() == digests


def test_digest_follows_the_declaration(tmp_path: Path) -> None:
    """Whatever changes what a run would do changes the digest."""
    folder = project(tmp_path)
    digests = {plans(folder)[0].digest()}
    changes = (
        {"source": ", filter: id > 2"},
        {"source": ", source_query: 'SELECT * FROM {table}'"},
        {"more": ", encryption: false"},
        {"more": ", compression: false"},
        {"target": "mart"},
    )
    for change in changes:
        declare(folder, table("prices", **change))
        digests.add(plans(folder)[0].digest())
    for setting in ("parcels: {compression_level: 9}", "stage: elsewhere"):
        make_project(folder, WAREHOUSE, POSTGRES, tables=[table("prices")], settings=setting)
        digests.add(plans(folder)[0].digest())
    assert len(digests) == 1 + len(changes) + 2


def test_no_credentials(tmp_path: Path) -> None:
    """Plans and projects can be shown, plans pickled: the password is in none of that."""
    folder = project(tmp_path)
    for plan in plans(folder):
        assert SECRET not in repr(plan)
        assert SECRET.encode() not in pickle.dumps(plan)
    assert SECRET not in repr(load_project(folder, {}))


def test_load_id(tmp_path: Path) -> None:
    """The same for every attempt to load a parcel into a target, and for nothing else."""
    run, _, arrival = plans(project(tmp_path))
    assert run.write
    assert arrival.write
    one = load_id("prices", arrival.write, "a")
    assert one == load_id("prices", run.write, "a")
    other = replace(arrival.write, connection="elsewhere")
    assert (
        len({one, load_id("prices", run.write, "b"), load_id("other", run.write, "a"), load_id("prices", other, "a")})
        == 4
    )
