"""``gorch ping``: whether there is an orchestrator, and what it knows of its executors."""

import click

from gorchestrator.cli.client import Client, client_command


@click.command()
@client_command
def ping(client: Client) -> None:
    """Ask the orchestrator whether it is alive, and which executors answer it."""
    found = client.remote.ping()
    if client.as_json:
        client.print_json(found)
        return
    from gorchestrator.cli import tables  # noqa: PLC0415  (rich takes its time)

    click.echo(f"orchestrator {found.get('version', '')} at {client.remote.url}: {found['status']}")
    tables.show_executors(found.get("executors") or ())
