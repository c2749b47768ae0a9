"""The engine ``ansible``: runs a playbook with ``ansible-playbook``, as a supervised command of this machine.

The log is what the play prints. A callback plugin of ours writes the result of each task beside the log, and in the end
the custom stats, which are the outputs, and the message of what failed.
"""

import hashlib
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from executor import ansible_plugins, artifacts, names
from executor.drivers.base import Driver, Job
from executor.files import open_regular
from executor.outcome import Exit, Outcome, failure
from gorchestrator.common.reasons import ReasonCode

PROGRAM = "ansible-playbook"
INLINE = "---"
PLUGINS = str(Path(ansible_plugins.__file__).parent)
USUAL_PLUGINS = "~/.ansible/plugins/callback:/usr/share/ansible/plugins/callback"  # what our path would replace

# in the job's directory
PLAYBOOK, INVENTORY, VARS = "playbook.yml", "inventory.yml", "vars.yml"
RESULTS, SUMMARY, TEMP = "results.jsonl", "summary.json", "tmp"

VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
OPTION = re.compile(
    r"--(check|diff|become)|-v{1,6}|--(tags|skip-tags|start-at-task)=.+|--forks=[1-9]\d{0,3}", re.DOTALL
)
LIMIT_FILE = re.compile(r"(?<![\w.-])@")  # at the start of a pattern; what parts two of them is no part of a name
OPTIONS = "--tags=…, --skip-tags=…, --check, --diff, -v to -vvvvvv, --become, --forks=N, --start-at-task=…"

# Up to an empty line. Before 2.19 it begins in the other way.
ERROR = re.compile(r"^(?:\[ERROR\]: |ERROR! )(.+(?:\n.+)*)", re.MULTILINE)
TAIL = 16 * 1024  # bytes of the log in which an error is looked for
WHY_LINES = 5  # of what a command said
WHY_LENGTH = 800

# The node's own variables may say otherwise.
DEFAULTS = {
    "ANSIBLE_STDOUT_CALLBACK": "default",
    "ANSIBLE_RETRY_FILES_ENABLED": "0",
    "ANSIBLE_NOCOWS": "1",
    "ANSIBLE_HOST_KEY_CHECKING": "1",
    # Unless it is told to wait (by default 0 times), Ansible ends a play by killing workers that have not quite ended,
    # each with its session: with what a task has left running, which is to live on after success.
    "ANSIBLE_WORKER_SHUTDOWN_POLL_COUNT": "1000",
    "ANSIBLE_WORKER_SHUTDOWN_POLL_DELAY": "0.01",
}


class Ansible(Driver):
    """Runs a playbook of the artifact directories, of an absolute path, or of the node itself."""

    fields = frozenset({"artifact", "args", "env", "output", "timeout"})

    def check(self) -> str | None:
        """Return what is missing: the program, or an inventory of the settings."""
        if _program() is None:
            return (
                f"engine ansible needs {PROGRAM}: pip install gorchestrator-oaas[ansible], or the system's package"
                " ansible-core; it is looked for beside the executor's Python and in its PATH"
            )
        absent = [str(path) for path in self.config.ansible_inventory if not os.access(path, os.R_OK)]
        return f"ansible_inventory: cannot read {', '.join(absent)}" if absent else None

    def run(self, job: Job) -> Outcome:
        """Run the playbook."""
        if job.begun:
            return _judged(job, job.command([]))
        program, wrong = _program(), self.check()
        if program is None or wrong is not None:
            return failure(ReasonCode.ENGINE, wrong or f"{PROGRAM} has just been removed")
        try:
            options, variables = _parsed(job.attempt.args)
            limit = self._limit(job.attempt.target)
        except ValueError as error:
            return failure(ReasonCode.ARGUMENT, str(error))
        playbook = _playbook(job)
        if isinstance(playbook, Outcome):
            return playbook
        where = [*self._inventory(job), *limit]
        given = [f"--extra-vars=@{job.keep(VARS, _yaml(variables))}"] if variables else []
        return _judged(job, job.command([program, *options, *where, *given, playbook], env=_env(job)))

    def _inventory(self, job: Job) -> list[str]:
        """Return the options for the inventories of the settings, or for this machine alone."""
        found: Sequence[object] = self.config.ansible_inventory
        return [f"--inventory={path}" for path in found or [job.keep(INVENTORY, _this_machine(job))]]

    def _limit(self, target: str) -> list[str]:
        """Return the option for the target. Raises ValueError for one that has Ansible read a file."""
        if LIMIT_FILE.search(target):
            raise ValueError(f"target {target[:100]!r}: limits out of files (@FILE) are not taken")
        return [f"--limit={target}"] if target not in ("", self.config.name) else []


def _judged(job: Job, exit: Exit) -> Outcome:
    summary = job.read(SUMMARY) or {}
    why = None if exit.status == 0 else _failed_task(job, summary) or _last_error(job)
    return job.outcome(exit, PROGRAM, _stats(summary), why)


def _program() -> str | None:
    """Return the path of the program: beside our own Python, where the extra installs it, else of PATH."""
    beside = os.path.join(os.path.dirname(sys.executable), PROGRAM)
    return beside if os.access(beside, os.X_OK) else shutil.which(PROGRAM)


def _playbook(job: Job) -> str | Outcome:
    if job.attempt.artifact.startswith(INLINE):
        return job.keep(PLAYBOOK, job.attempt.artifact)
    return artifacts.file(job.attempt.artifact, job.artifact_dirs)


def _parsed(args: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Return options and extra vars. Raises ValueError for what is neither."""
    options, variables = [], {}
    for arg in args:
        if OPTION.fullmatch(arg):
            options.append(arg)
        elif found := VARIABLE.fullmatch(arg):
            variables[found[1]] = found[2]
        else:
            raise ValueError(f"argument {arg[:100]!r} is neither an extra var (NAME=value) nor one of: {OPTIONS}")
    return options, variables


def _yaml(variables: Mapping[str, str]) -> str:
    """Return a file of extra vars whose values are texts and no templates, whatever they hold.

    As a whole: a single value that is tagged so becomes a number if it looks like one.
    """
    return "!unsafe\n" + "".join(f"{_quoted(name)}: {_quoted(value)}\n" for name, value in variables.items())


def _quoted(text: str) -> str:
    plain = (
        char if char.isascii() and char.isprintable() and char not in '"\\' else f"\\U{ord(char):08x}" for char in text
    )
    return f'"{"".join(plain)}"'


# A playbook of this machine may have written nonsense there.
def _stats(summary: Mapping[str, Any]) -> dict[str, str]:
    output = summary.get("output")
    found = output.items() if isinstance(output, dict) else ()
    return {name: text for name, text in found if isinstance(text, str)}


def _failed_task(job: Job, summary: Mapping[str, Any]) -> str | None:
    """Return what is told of the task that failed. Secrets are hidden before anything is cut."""
    found = summary.get("failure")
    if not isinstance(found, dict):
        return None
    task, what, host, message, said, others = (
        job.hide(str(found.get(key, "")).encode(errors="replace")).decode(errors="replace")
        for key in ("task", "what", "host", "message", "said", "others")
    )
    if said:
        message = message.rstrip(".") + ": " + "\n".join(said.splitlines()[-WHY_LINES:])[-WHY_LENGTH:]
    message = message if len(message) <= 2 * WHY_LENGTH else message[: 2 * WHY_LENGTH] + " …"
    return f"task {task!r} {what} {host}: {message}" + (f"; also on: {others}" if others else "")


def _last_error(job: Job) -> str | None:
    """Return the last error of Ansible's own, without the piece of the playbook that it shows below."""
    try:
        with open_regular(job.path(names.LOG)) as file:
            end = os.pread(file.fileno(), TAIL, max(0, job.log_size - TAIL))
    except OSError:
        return None
    found = ERROR.findall(job.hide(end).decode(errors="replace"))
    return found[-1][:WHY_LENGTH] if found else None


def _this_machine(job: Job) -> str:
    lines = [
        "ansible_connection: local",
        'ansible_python_interpreter: "{{ ansible_playbook_python }}"',
        f"ansible_remote_tmp: !unsafe {_quoted(job.path(TEMP))}",
    ]
    return "all:\n  hosts:\n    localhost:\n" + "".join(f"      {line}\n" for line in lines)


def _env(job: Job) -> dict[str, str]:
    plugins = job.env.get("ANSIBLE_CALLBACK_PLUGINS", USUAL_PLUGINS)
    # Connections are shared by what runs as one user, and die with the job that began them: each has its own.
    mark = hashlib.sha256(job.id.encode()).hexdigest()[:8]
    ours = {
        "LC_ALL": "C.UTF-8",  # without a UTF-8 locale it does not start
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_LOCAL_TEMP": job.path(TEMP),
        "ANSIBLE_SSH_CONTROL_PATH": f"%(directory)s/{mark}-%%C",
        "ANSIBLE_CALLBACK_PLUGINS": f"{PLUGINS}:{plugins}",
        "GORCH_ANSIBLE_RESULTS": job.path(RESULTS),
        "GORCH_ANSIBLE_SUMMARY": job.path(SUMMARY),
    }
    return DEFAULTS | dict(job.env) | ours
