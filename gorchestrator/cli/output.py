"""Where commands put a document that they made: a file, or standard output."""

from pathlib import Path

import click

from gorchestrator.cli.failure import Failure

OUT = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


def write(text: str, output: Path | None) -> None:
    """Write a text as UTF-8, whatever the language of the user's terminal; ``-`` and None: standard output."""
    data = text.encode()
    if output is None or str(output) == "-":
        click.echo(data, nl=False)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise Failure(f"cannot write {output}: {error.strerror}") from error
