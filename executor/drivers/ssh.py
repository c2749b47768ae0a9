"""The engine ``ssh``: runs ``artifact args…`` on the host ``target``, over the OpenSSH client."""

from executor.drivers.base import Job
from executor.ssh import sending
from executor.ssh.request import Work
from executor.ssh.running import RemoteDriver


class Ssh(RemoteDriver):
    """Runs an inline script, a file of the artifact directories (both are sent), or a program of the host."""

    def work(self, job: Job) -> Work:
        """Return what a job does: the arguments arrive as they are."""
        artifact = job.attempt.artifact
        program = sending.program(artifact, job.artifact_dirs, inline=artifact.startswith(sending.INLINE))
        return Work(program, job.attempt.args, {**job.node_env, **job.our_env})
