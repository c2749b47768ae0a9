"""Where ``gorch`` begins: the group of its commands, each imported only when it is called, and the last resort."""

import importlib
import sys

import click

from gorchestrator import __version__
from gorchestrator.cli.failure import report

# name → where it lives
COMMANDS = {
    "submit": "tasks:submit",
    "list": "listing:list_tasks",
    "show": "tasks:show",
    "watch": "tasks:watch",
    "events": "events:events",
    "why": "why:why",
    "logs": "logs:logs",
    "attempts": "tasks:attempts",
    "cancel": "tasks:cancel",
    "rerun": "why:rerun",
    "resolve": "tasks:resolve",
    "validate": "tasks:validate",
    "dot": "dot:dot",
    "tosca": "tosca:tosca",
    "ping": "ping:ping",
    "engines": "ping:engines",
    "demo": "demo:demo",
    "serve": "servers:serve",
    "executor": "servers:executor",
    "certs": "certs:certs",
    "token": "token:token",
    "audit": "audit:audit",
    "config": "config:config",
    "doctor": "doctor:doctor",
    "backup": "backups:backup",
    "restore": "backups:restore",
    "gc": "gc:gc",
    "db": "db:db",
}


class Commands(click.Group):
    """A group that imports a command when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(f"gorchestrator.cli.{module}"), name)
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gorch")
@click.option("--url", help="The orchestrator's URL, for all commands that talk to one.")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def gorch(ctx: click.Context, url: str | None, as_json: bool, debug: bool) -> None:
    """Run graphs of nodes, and watch them. Begin with: gorch demo.

    Exit status: 0 the graph succeeded (or the command did its work), 1 the graph failed, 2 wrong use, a refused
    request, or no connection.
    """
    ctx.obj = {"url": url, "json": as_json, "debug": debug}


def main() -> None:
    """Run ``gorch`` with the arguments of this process."""
    try:
        gorch.main(prog_name="gorch")
    except Exception as error:  # the last resort: one line instead of a traceback
        if "--debug" in sys.argv:
            raise
        sys.exit(report(error))
