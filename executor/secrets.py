"""Secrets: nodes name them in ``env``, this executor knows their values, and nobody is shown them.

A value is a file of the directory ``secrets``, readable by its owner only, or a variable of the executor's own
environment that ``secret_env`` lists.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from gorchestrator.common.wire import SECRET

LEAST = 4  # bytes: what is shorter cannot be hidden in a log without hiding half of it
MOST = 16 * 1024  # bytes
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class SecretUnavailable(Exception):
    """A secret that a node needs cannot be used; the text says why, and what to do."""


class Secrets:
    """The secrets of an executor. ``environ`` holds those that come from its environment."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ

    def value(self, name: str) -> str:
        """Return the value of a secret. Raises :class:`SecretUnavailable`."""
        if not SECRET.fullmatch(name):
            raise SecretUnavailable(
                f"{name[:100]!r} is not the name of a secret: letters, digits, dot, dash, underscore"
            )
        found = self._environ.get(name)
        value = self._read(name) if found is None else found
        if not _is_unicode(value):
            raise SecretUnavailable(f"the secret in the executor's variable {name} is not UTF-8")
        if "\0" in value or not LEAST <= len(value.encode()) <= MOST:
            raise SecretUnavailable(f"secret {name!r} must have {LEAST} to {MOST} bytes, and no NUL")
        return value

    def _read(self, name: str) -> str:
        path = self._folder / name
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                _check(os.fstat(handle), path)
                return file.read(MOST + 2).decode().removesuffix("\n")
        except FileNotFoundError:
            raise SecretUnavailable(
                f"this executor has no secret {name!r}: put it into the file {path} (mode 600), or into its environment"
                " and the setting secret_env"
            ) from None
        except UnicodeDecodeError:
            raise SecretUnavailable(f"the secret in {path} is not UTF-8") from None
        except OSError as error:
            raise SecretUnavailable(f"the secret in {path} cannot be read: {error.strerror}") from None


def _is_unicode(value: str) -> bool:
    """Return whether it can be said in UTF-8: what a variable has of other bytes cannot."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SecretUnavailable(f"{path} is not a file")
    if found.st_mode & OTHERS or found.st_uid not in (0, os.geteuid()):
        raise SecretUnavailable(
            f"others may read the secret in {path}: chmod 600 it, and let the executor's user own it"
        )
