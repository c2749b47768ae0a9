"""What a container is made of: the arguments of the API's create call for a job."""

import os
from collections.abc import Mapping
from io import FileIO
from typing import Any

from executor.config import Config
from executor.drivers.base import Job
from executor.drivers.docker import options as allowed
from executor.files import private

EXECUTOR, JOB = f"{allowed.OURS}executor", f"{allowed.OURS}job"  # labels
TOLD = ("GORCH_TASK_ID", "GORCH_NODE", "GORCH_ATTEMPT")
EVERYBODY = 0o666
# The log is read from its start again after a restart of the executor: the daemon must not rotate it.
LOG = {"Type": "json-file", "Config": {"max-size": "1000g", "max-file": "1", "compress": "false"}}


def name(job_id: str) -> str:
    """Return the name of a job's container."""
    return f"gorch-{job_id}"


def create(api: Any, job: Job, config: Config, instance: str) -> dict[str, Any]:
    """Return the arguments of ``create_container``. ``instance``: of this executor. Raises SecretUnavailable."""
    options = job.options
    env = {**job.node_env, **{name: job.env[name] for name in TOLD}, "GORCH_OUTPUT": allowed.OUTPUT}
    return {
        "image": job.attempt.artifact,
        "command": [*job.attempt.args] or None,
        "name": name(job.id),
        "environment": env,
        "entrypoint": options.get("entrypoint"),
        "user": options.get("user"),
        "working_dir": options.get("workdir"),
        "labels": {**options.get("labels", {}), EXECUTOR: instance, JOB: job.id},
        "host_config": api.create_host_config(**_host(job, options, config)),
    }


def _host(job: Job, options: Mapping[str, Any], config: Config) -> dict[str, Any]:
    memory = options.get("memory") or config.docker_memory or None
    cpus = options.get("cpus") or config.docker_cpus
    return {
        "binds": [f"{_output_file(job)}:{allowed.OUTPUT}:Z"],  # Z: SELinux lets the container write it
        "mounts": [_mount(each) for each in options.get("mounts", ())],
        "network_mode": allowed.network(options, config),
        "cap_drop": ["ALL"],
        "cap_add": options.get("capabilities"),
        "security_opt": ["no-new-privileges"],
        "mem_limit": memory,
        "memswap_limit": memory,
        "nano_cpus": round(cpus * 1e9) or None,
        "pids_limit": options.get("pids"),
        "read_only": options["read_only"],
        "log_config": LOG,
    }


def _mount(mount: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Type": "bind",
        "Source": allowed.source(mount["source"]),
        "Target": mount["target"],
        "ReadOnly": mount["read_only"],
    }


def _output_file(job: Job) -> str:
    """Make the file of outputs; whoever the container runs as can write it, and nobody else gets into its folder."""
    path = job.output_file
    FileIO(path, "a", opener=private).close()
    os.chmod(path, EVERYBODY)
    return os.path.abspath(path)
