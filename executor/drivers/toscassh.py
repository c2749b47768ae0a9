"""The engine ``toscassh``: runs a script on the host ``target`` as TOSCA does: inputs and outputs are variables.

Inputs are arguments ``NAME=value``. Outputs are the values that variables have at the end of the script, whether it
exports them or not, and ``NAME=value`` lines.
"""

from executor.drivers.base import Job
from executor.ssh import sending
from executor.ssh.request import NAME, Work
from executor.ssh.running import BadArgument, RemoteDriver


class Toscassh(RemoteDriver):
    """Runs a script by the interpreter that its first line names, else by /bin/sh."""

    def work(self, job: Job) -> Work:
        """Return what a job does."""
        artifact = job.attempt.artifact
        inline = artifact.startswith(sending.INLINE) or "\n" in artifact
        program = sending.program(artifact, job.artifact_dirs, inline=inline)
        env = {**job.node_env, **dict(map(_pair, job.attempt.args)), **job.our_env}
        return Work(program, (), env, [name for name in job.attempt.output if NAME.fullmatch(name)])


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not NAME.fullmatch(name):
        shown = name[:100] if equals else "one without an equals sign"
        raise BadArgument(f"arguments of toscassh are NAME=value, and the name is that of a variable; not {shown!r}")
    return name, value
