"""``gorch list``: the tasks, filtered and sorted as in the API."""

import click

from gorchestrator.cli.client import Client, client_command

MOST = 1000


@click.command("list")
@click.option("--state", multiple=True, metavar="STATE", help="Only these: open, running, failure, … May be repeated.")
@click.option("--name", metavar="TEXT", help="Only tasks whose name contains this.")
@click.option("--label", multiple=True, metavar="KEY[=VALUE]", help="Only tasks with this label; may be repeated.")
@click.option("--since", metavar="TIME", help="Only tasks accepted from then on, such as 2026-11-01T12:00:00Z.")
@click.option("--until", metavar="TIME", help="Only tasks accepted before.")
@click.option("--sort", metavar="KEY", help="accepted, started, duration, name or state; -KEY: the last first.")
@click.option("--limit", type=click.IntRange(1, MOST), default=100, help="How many (100).")
@click.option("--cursor", metavar="TEXT", help="Where the page before has ended, as that says.")
@client_command
def list_tasks(client: Client, state: tuple[str, ...], limit: int, **filters: str | tuple[str, ...] | None) -> None:
    """List the tasks, newest first."""
    wanted = {key: value for key, value in {"state": ",".join(state), **filters}.items() if value}
    page = client.remote.tasks(limit=limit, **wanted)
    if client.as_json:
        client.print_json(page)
        return
    if not page["tasks"]:
        nothing = "No task is like that." if wanted else "No tasks yet. Submit one: gorch submit FILE"
        click.echo(nothing, err=True)
        return
    from gorchestrator.cli import tables  # noqa: PLC0415  (rich takes its time)

    tables.show_tasks(page["tasks"])
    if page["next"]:
        click.echo(f"There are more: --cursor {page['next']}", err=True)
