"""What a container is made of: the arguments of the API's create call for a job."""

import os
from collections.abc import Iterable
from io import FileIO
from typing import Any

from executor.config import Config
from executor.drivers.base import Job
from executor.drivers.docker import options as allowed
from executor.drivers.docker.mounts import Mount
from executor.files import private

EXECUTOR, JOB = f"{allowed.OURS}executor", f"{allowed.OURS}job"  # labels
EVERYBODY = 0o666
# The log is read from its start again after a restart of the executor: the daemon must not rotate it.
LOG = {"Type": "json-file", "Config": {"max-size": "1000g", "max-file": "1", "compress": "false"}}


def name(job_id: str) -> str:
    """Return the name of a job's container."""
    return f"gorch-{job_id}"


def create(api: Any, job: Job, mounts: Iterable[Mount], config: Config, instance: str) -> dict[str, Any]:
    """Return the arguments of ``create_container``. ``instance``: of this executor. Raises SecretUnavailable."""
    options = job.options
    env = {**job.node_env, **job.our_env, "GORCH_OUTPUT": allowed.OUTPUT}
    return {
        "image": job.attempt.artifact,
        "command": [*job.attempt.args] or None,
        "name": name(job.id),
        "environment": env,
        "entrypoint": options.get("entrypoint"),
        "user": allowed.user(options, config),
        "working_dir": options.get("workdir"),
        "labels": {**options.get("labels", {}), EXECUTOR: instance, JOB: job.id},
        "host_config": api.create_host_config(**_host(job, mounts, config)),
    }


def _host(job: Job, mounts: Iterable[Mount], config: Config) -> dict[str, Any]:
    options = job.options
    memory = options.get("memory") or config.docker_memory or None
    cpus = options.get("cpus") or config.docker_cpus
    binds, more = _outputs(_output_file(job))
    return {
        "binds": binds,
        "mounts": [each.order for each in (*more, *mounts)],
        "network_mode": allowed.network(options, config),
        "cap_drop": ["ALL"],
        "cap_add": options.get("capabilities"),
        "security_opt": ["no-new-privileges"],
        "mem_limit": memory,
        "memswap_limit": memory,
        "nano_cpus": round(cpus * 1e9) or None,
        "pids_limit": options.get("pids") or config.docker_pids or None,
        "read_only": options["read_only"],
        "log_config": LOG,
    }


def _outputs(path: str) -> tuple[list[str], list[Mount]]:
    """Return how the file of outputs gets in, as a bind or as a mount.

    Only a bind can say Z, with which SELinux lets the container write it; only a mount can have a colon in its path.
    """
    if ":" in path:
        return [], [Mount(path, path, allowed.OUTPUT, read_only=False)]
    return [f"{path}:{allowed.OUTPUT}:Z"], []


def _output_file(job: Job) -> str:
    """Make the file of outputs; whoever the container runs as can write it, and nobody else gets into its folder."""
    path = job.output_file
    FileIO(path, "a", opener=private).close()
    os.chmod(path, EVERYBODY)
    return os.path.abspath(path)
