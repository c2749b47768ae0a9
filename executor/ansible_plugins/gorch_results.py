"""Ansible's side of the engine ``ansible``: results of tasks as JSON lines, and in the end what the node is told of.

Runs inside of ``ansible-playbook``, beside the callback that prints the readable log. The two paths come from the
environment: ``GORCH_ANSIBLE_RESULTS`` (appended to while it runs) and ``GORCH_ANSIBLE_SUMMARY`` (written as a whole).
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: gorch_results
type: aggregate
short_description: results of tasks as JSON lines
description: Writes what gorchestrator's executor reads of a playbook. Without its variables it does nothing.
"""

LINE_LIMIT = 64 * 1024  # bytes of one result
FILE_LIMIT = 10 * 2**20  # bytes of all results
# One byte more than the executor takes: what is cut here is refused there, and not taken for the whole.
VALUE_CUT = 64 * 1024 + 1
OUTPUT_LIMIT = 2**20  # bytes of all outputs
MESSAGE_CUT = 1000  # characters, where the result is left out
WHY_CUT = 8 * 1024  # characters; the executor shows far less of it, when it has hidden the secrets in it
HOSTS_NAMED = 10
FOR_ALL_HOSTS = "_run"  # Ansible's name for it


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Gets told of each result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "gorch_results"

    def __init__(self) -> None:
        super().__init__()
        self._results = os.environ.get("GORCH_ANSIBLE_RESULTS", "")
        self._summary = os.environ.get("GORCH_ANSIBLE_SUMMARY", "")
        self.disabled = not (self._results and self._summary)
        self._play = ""
        self._size = 0
        self._last_failures: dict[
            str, dict[str, str]
        ] = {}  # by host; a rescued one is followed by a later one, or is not fatal

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Note the play that results belong to."""
        self._play = play.get_name()

    def v2_runner_on_ok(self, result: Any) -> None:
        """Write it."""
        self._write("ok", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Write it."""
        self._write("skipped", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Write it, and remember why."""
        self._write("ignored" if ignore_errors else "failed", result)
        if not ignore_errors:
            self._remember(result, "failed on")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Write it, and remember why."""
        self._write("unreachable", result)
        self._remember(result, "did not reach")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write the summary: outputs, and why it failed."""
        hosts = [host for host in self._last_failures if host in stats.failures or host in stats.dark]
        document = {"failure": self._failure(hosts), "output": dict(_outputs(stats.custom))}
        new = f"{self._summary}.new"
        with open(new, "wb", opener=_private) as file:
            file.write(_encoded(document))
        os.replace(new, self._summary)

    def _remember(self, result: Any, what: str) -> None:
        host = result._host.get_name()
        message, said = _why(result._result)
        named = {"task": result._task.get_name(), "what": what, "host": host}
        self._last_failures[host] = named | {"message": message, "said": said}

    def _failure(self, hosts: list[str]) -> dict[str, str] | None:
        if not hosts:
            return None
        first, *others = hosts
        named = ", ".join(others[:HOSTS_NAMED]) + (" …" if len(others) > HOSTS_NAMED else "")
        return self._last_failures[first] | {"others": named}

    def _write(self, status: str, result: Any) -> None:
        if self._size >= FILE_LIMIT:
            return
        line = {
            "time": time.time(),
            "status": status,
            "host": result._host.get_name(),
            "play": self._play,
            "task": result._task.get_name(),
            "action": result._task.action,
            "result": result._result,
        }
        data = _encoded(line)
        if len(data) > LINE_LIMIT:
            data = _encoded(line | {"result": {"truncated": len(data), "msg": _why(result._result)[0][:MESSAGE_CUT]}})
        self._size += len(data) + 1
        if self._size >= FILE_LIMIT:
            data = _encoded({"truncated": True})
        with open(self._results, "ab", opener=_private) as file:
            file.write(data + b"\n")


def _why(result: Mapping[str, Any]) -> tuple[str, str]:
    """Return the message of a failure, and the end of what the module's command said."""
    for item in result.get("results") or ():
        if isinstance(item, dict) and (item.get("failed") or item.get("unreachable")):
            return _why(item)
    message = str(result.get("msg") or result.get("reason") or result.get("censored") or "no message")
    if "assertion" in result:
        message += f": {result['assertion']}"
    spoken = (str(result.get(key) or "").strip() for key in ("stderr", "stdout", "module_stderr"))
    return message[:WHY_CUT], next(filter(None, spoken), "")[-WHY_CUT:]


def _outputs(custom: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield the custom stats as texts: those of the run by their names, those of a host as ``HOST.NAME``."""
    size = 0
    for host in sorted(custom):
        for name, value in custom[host].items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
            text = text.encode(errors="replace")[:VALUE_CUT].decode(errors="replace")
            yield (name if host == FOR_ALL_HOSTS else f"{host}.{name}"), text
            size += len(text)
            if size > OUTPUT_LIMIT:  # too much already
                return


def _encoded(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, default=str).encode(errors="backslashreplace")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
