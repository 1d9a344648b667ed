"""A project folder written from texts, and what loading it says."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from landbridge.config.project import Project, load_project
from landbridge.errors import ConfigError

Load = Callable[..., Project]
Lines = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write landbridge.yaml, tables.yaml, .env and other files, then load them; None leaves a file away."""

    def load(
        landbridge: str | None = "",
        tables: str | None = "tables: []",
        dotenv: str | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        files: Mapping[str, str] | None = None,
        with_scripts: bool = False,
    ) -> Project:
        given = {"landbridge.yaml": landbridge, "config/tables.yaml": tables, ".env": dotenv, **(files or {})}
        for name, text in given.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            if text is not None:
                (tmp_path / name).write_text(text, encoding="utf-8")
        return load_project(tmp_path, environ or {}, with_scripts=with_scripts)

    return load


@pytest.fixture
def lines(load: Load) -> Lines:
    """Every problem that loading reports, one text each."""

    def lines(*args: str | None, **kwargs: object) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(*args, **kwargs)
        assert caught.value.exit_code == 2
        assert caught.value.hint
        return caught.value.message.split("\n")

    return lines
