"""Worlds of projects, on one worker process that all tests share: it takes most of a second to start."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest

from landbridge.config.project import load_project
from landbridge.engine.events import Sink
from landbridge.engine.pool import open_pool
from landbridge.engine.world import World

OpenWorld = Callable[..., World]


@pytest.fixture(scope="session")
def worker() -> Iterator[Executor]:
    with open_pool(1) as pool:
        yield pool


@pytest.fixture
def open_world(worker: Executor) -> Iterator[OpenWorld]:
    """Opens the world of a project folder as a command does, its config read anew; closed after the test."""
    opened: list[World] = []

    def open_one(folder: Path, sink: Sink = lambda _event: None) -> World:
        world = World(load_project(folder, {}), sink)
        world.pool = worker
        opened.append(world)
        return world

    yield open_one
    for world in opened:
        del world.pool
        world.close()
