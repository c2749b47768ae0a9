"""``gorch ping`` and ``gorch engines``: whether there is an orchestrator, and what it knows of its executors."""

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
    tables.show_own_certificates(found.get("certificates") or ())


@click.command()
@client_command
def engines(client: Client) -> None:
    """List the engines of all executors that answer: whether they can work there, and what of a node they honour."""
    executors = client.remote.ping().get("executors") or []
    if client.as_json:
        client.print_json({each["name"]: each.get("engines") for each in executors})
        return
    from gorchestrator.cli import tables  # noqa: PLC0415  (rich takes its time)

    tables.show_engines(executors)
    for each in executors:
        if not each.get("reachable"):
            click.echo(f"executor {each['name']} does not answer: {each.get('reason')}", err=True)
