"""What the command says when something is wrong: one clear line, and the exit status 2."""

from typing import IO, Any

import click

FAULT = 2


class Failure(click.ClickException):
    """Ends the command with ``Error: …`` and the status 2."""

    exit_code = FAULT

    def __init__(self, message: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.lines = lines

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the line, and what belongs below it."""
        super().show(file)
        for line in self.lines:
            click.echo(f"  {line}", err=True)


def report(error: Exception) -> int:
    """Print the line of an error that nobody expected and return the exit status."""
    text = " ".join(str(error).split()) or "no message"
    click.echo(f"Error: {type(error).__name__}: {text} (gorch --debug … shows where)", err=True)
    return FAULT
