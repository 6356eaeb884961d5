import inspect

import pytest

from sfu.facade import MediaEngine
from sfu.shell.server import MediaServer
from sfu.shell.workers import MediaWorkers


def commands(engine):
    return [name for name, member in vars(engine).items() if inspect.isfunction(member) and name[0] != "_"]


def called(function):
    return [(each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()]


@pytest.mark.parametrize("name", commands(MediaEngine))
@pytest.mark.parametrize("engine", [MediaServer, MediaWorkers])
def test_every_engine_is_called_alike(engine, name):
    command = getattr(engine, name)
    assert called(command) == called(getattr(MediaEngine, name))
    assert inspect.iscoroutinefunction(command) == inspect.iscoroutinefunction(getattr(MediaEngine, name))


def test_no_engine_has_commands_that_signalling_does_not_know():
    assert set(commands(MediaServer)) == set(commands(MediaEngine))
