"""What a person is told to type: it has to mean that node, whatever that is called."""

import shlex

import click
import pytest

from gorchestrator.cli.tasks import resolve
from gorchestrator.domain.resolving import command

TASK = "0" * 32


@pytest.mark.parametrize("name", ["a", "0", "two words", "it's", "$(reboot)", "-x", "--as", "a;b|c", "\u00e9"])
def test_the_command_names_the_node(name):
    program, verb, *arguments = shlex.split(command(TASK, name).replace("success|failure|retry", "retry"))
    assert (program, verb) == ("gorch", "resolve")
    with click.Context(resolve) as context:
        resolve.parse_args(context, arguments)
        assert {key: context.params[key] for key in ("task", "node", "answer")} == {
            "task": TASK,
            "node": name,
            "answer": "retry",
        }
