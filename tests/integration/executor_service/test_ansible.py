"""The engine ``ansible`` on a real executor with the real ``ansible-playbook``, beyond the contract of all engines."""

import json
import os
import signal
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from beds import needs
from executor_support import Executor, alive, new_id, started
from support import wait_until

SUCCESS, FAILURE = 3, 4
TOKEN = "0123-token-4567"
QUOTED = 'pass"word\\of <größe>\nits second line\n'
INVENTORY = """
[web]
web1 colour=red
web2 colour=green

[all:vars]
ansible_connection=local
ansible_python_interpreter="{{ ansible_playbook_python }}"
"""
SITE = """
- name: the site
  hosts: web
  gather_facts: false
  tasks:
    - name: tell
      ansible.builtin.debug:
        msg: "{{ inventory_hostname }} says {{ greeting }}"
      tags: [tell]
    - name: not asked for
      ansible.builtin.fail:
        msg: it was not left out
      tags: [other]
    - name: stats of the run
      ansible.builtin.set_stats:
        data:
          greeting: "{{ greeting }}"
          number: 42
          half: 0.5
          flag: true
          nothing: null
          list: [1, "zwei", {three: 3}]
          shown: "{{ lookup('pipe', cmdline) }}"
        aggregate: false
      vars:
        cmdline: tr '\\\\0' ' ' </proc/$PPID/cmdline
      run_once: true
      tags: [always]
    - name: stats of a host
      ansible.builtin.set_stats:
        data:
          colour: "{{ colour }}"
        per_host: true
      tags: [always]
"""

LINGER = """
import threading
import time

class FilterModule:
    def filters(self):
        return {"linger": self.linger}

    def linger(self, value):
        threading.Thread(target=time.sleep, args=[1]).start()  # a process waits for its threads before it ends
        return value
"""


def node(artifact: str, *args: str, **fields: Any) -> dict[str, Any]:
    return {"name": "deploy", "engine": "ansible", "artifact": artifact, "args": list(args), **fields}


def play(*tasks: str, hosts: str = "all") -> str:
    lines = [line for task in tasks for line in task.splitlines()]
    return "\n".join(
        ["---", f"- hosts: {hosts}", "  gather_facts: false", "  tasks:", *(f"    {line}" for line in lines), ""]
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of playbooks and inventories."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def executor(tmp_path_factory: pytest.TempPathFactory, certs: Path, place: Path) -> Iterator[Executor]:
    """Return one with an inventory of two hosts, which are this machine."""
    (place / "hosts.ini").write_text(INVENTORY)
    (place / "site.yml").write_text(SITE)
    settings = {
        "ARTIFACT_DIRS": str(place),
        "ANSIBLE_INVENTORY": str(place / "hosts.ini"),
        "SECRET_ENV": "TOKEN,QUOTED",
    }
    settings = {f"GORCH_EXECUTOR_{name}": value for name, value in settings.items()}
    settings |= {"TOKEN": TOKEN, "QUOTED": QUOTED}
    # What a shell of the executor's user sets does not count; without its own locale Ansible does not even start.
    settings |= {"LC_ALL": "C", "ANSIBLE_NOCOLOR": "0", "ANSIBLE_FORCE_COLOR": "1"}
    with started(Executor(tmp_path_factory.mktemp("executor"), certs, settings)) as found:
        yield found


def run(executor: Executor, document: dict[str, Any]) -> tuple[dict[str, Any], Path]:
    """Return the job at its end, with its log as text, and its directory."""
    job_id = new_id()
    assert executor.put(job_id, document).status_code in (200, 202)
    job = executor.end(job_id)
    return job | {"log": executor.log_of(job_id)}, executor.data / "jobs" / "live" / job_id


def results(folder: Path) -> list[tuple[str, str, str]]:
    """Return status, host and task of each result."""
    lines = [json.loads(line) for line in (folder / "results.jsonl").read_text("utf-8").splitlines()]
    return [(line["status"], line["host"], line["task"]) for line in lines]


def test_a_playbook_of_the_artifact_directories(executor: Executor) -> None:
    greeting = "grüß 'dich' \"{{ 7 * 7 }}\" 🎉 $HOME"
    job, folder = run(executor, node("site.yml", f"greeting={greeting}", "--tags=tell", "-v"))
    assert job["state"] == SUCCESS, job
    output = job["output"]
    shown = output.pop("shown")
    assert "--extra-vars=@" in shown
    assert "7 * 7" not in shown
    assert output == {
        "greeting": greeting,
        "number": "42",
        "half": "0.5",
        "flag": "true",
        "nothing": "null",
        "list": '[1, "zwei", {"three": 3}]',
        "web1.colour": "red",
        "web2.colour": "green",
    }
    assert "TASK [tell]" in job["log"]
    assert "web2 says grüß 'dich'" in job["log"]
    assert "\x1b" not in job["log"]
    assert sorted(results(folder)[:2]) == [("ok", "web1", "tell"), ("ok", "web2", "tell")]  # whichever was quicker
    assert {(folder / name).stat().st_mode & 0o777 for name in ("results.jsonl", "vars.yml", "summary.json")} == {0o600}


def test_the_target_is_the_limit(executor: Executor) -> None:
    job, folder = run(executor, node("site.yml", "greeting=hi", "--skip-tags=other", target="web2"))
    assert job["state"] == SUCCESS
    assert {host for _, host, _ in results(folder)} == {"web2"}
    assert "web1.colour" not in job["output"]


def test_the_executors_own_name_is_no_limit(executor: Executor) -> None:
    job, folder = run(executor, node(play("- ansible.builtin.debug:"), target="executor"))
    assert job["state"] == SUCCESS
    assert {host for _, host, _ in results(folder)} == {"web1", "web2"}


def test_a_limit_that_nobody_matches(executor: Executor) -> None:
    job, _ = run(executor, node("site.yml", "greeting=hi", target="web9"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "exit")
    assert "no hosts" in job["reason"]


def test_the_message_of_the_task_that_failed_is_the_reason(executor: Executor) -> None:
    tasks = (
        "- name: harmless\n  ansible.builtin.fail:\n    msg: nobody minds\n  ignore_errors: true",
        "- block:\n    - name: first try\n      ansible.builtin.fail:\n        msg: rescued\n"
        "  rescue:\n    - ansible.builtin.debug:",
        "- name: check the disk\n  ansible.builtin.fail:\n    msg: disk of {{ inventory_hostname }} is full\n"
        "  when: inventory_hostname == 'web2'",
        "- name: go on\n  ansible.builtin.debug:",
    )
    job, folder = run(executor, node(play(*tasks)))
    assert (job["state"], job["reason_code"], job["exit_code"]) == (FAILURE, "exit", 2)
    assert job["reason"] == "exit status 2: task 'check the disk' failed on web2: disk of web2 is full"
    found = results(folder)
    assert found.count(("ignored", "web1", "harmless")) == 1
    assert found.count(("skipped", "web1", "check the disk")) == 1
    assert found[-1] == ("ok", "web1", "go on")


def test_what_a_command_said_belongs_to_its_message(executor: Executor) -> None:
    script = "echo so far so good; echo {{ item }} is broken >&2; exit 3"
    job, _ = run(executor, node(play(f"- name: build\n  ansible.builtin.shell: {script}\n  loop: [it]")))
    first, last = "exit status 2: task 'build' failed on ", ": non-zero return code: it is broken; also on: "
    assert job["reason"] in (f"{first}web1{last}web2", f"{first}web2{last}web1")


@pytest.mark.parametrize(
    ("playbook", "told"),
    [
        ("---\n- hosts: all\n  tasks:\n    - no_such_module_at_all: {}\n", "no_such_module_at_all"),
        ("---\n- hosts: all\n   tasks:\n", "Origin: "),
        ("---\n- hosts: all\n  roles: [no-such-role]\n", "the role 'no-such-role' was not found"),
    ],
)
def test_a_playbook_that_is_none(executor: Executor, playbook: str, told: str) -> None:
    job, _ = run(executor, node(playbook))
    assert (job["state"], job["reason_code"]) == (FAILURE, "exit")
    assert told in job["reason"]
    assert "^ column" not in job["reason"]  # the message, and not the piece of the playbook that is shown below


def test_a_file_that_is_not_there_and_what_was_asserted(executor: Executor) -> None:
    tasks = "- name: more\n  ansible.builtin.include_tasks: no-such-tasks.yml\n  when: inventory_hostname == 'web1'"
    job, _ = run(executor, node(play(tasks)))
    assert job["reason"].startswith("exit status 2: task 'more' failed on web1: Could not find or access ")
    job, _ = run(executor, node(play("- name: sums\n  ansible.builtin.assert:\n    that: 1 == 2"), target="web1"))
    assert job["reason"] == "exit status 2: task 'sums' failed on web1: Assertion failed: 1 == 2"


@pytest.mark.parametrize(
    "target", ["@hosts.ini", "web1,@hosts.ini", "web1:@hosts.ini", "web1 @hosts.ini", "]@hosts.ini"]
)
def test_a_target_reads_no_file(executor: Executor, target: str) -> None:
    job = executor.run(node("site.yml", "greeting=hi", target=target))
    assert (job["state"], job["reason_code"]) == (FAILURE, "argument")
    assert "@FILE" in job["reason"]


def test_nobody_is_asked(executor: Executor) -> None:
    """There is nobody to answer, so what asks fails or goes on at once."""
    vault = "$ANSIBLE_VAULT;1.1;AES256\n" + "61" * 40 + "\n"
    lines = "".join(f"      {line}\n" for line in vault.splitlines())
    job, _ = run(
        executor, node(f"---\n- hosts: web1\n  vars:\n    x: !vault |\n{lines}", env={"ANSIBLE_ASK_VAULT_PASS": "1"})
    )
    assert (job["state"], job["reason_code"]) == (FAILURE, "exit")
    assert "EOFError" in job["reason"]
    text = play(
        "- ansible.builtin.pause:\n    prompt: go on",
        "- ansible.builtin.debug:\n    msg: it is {{ who }}",
        hosts="web1",
    )
    text = text.replace("  tasks:", "  vars_prompt:\n    - name: who\n      default: nobody\n  tasks:")
    job, _ = run(executor, node(text, env={"ANSIBLE_ASK_PASS": "1"}, timeout=60))
    assert job["state"] == SUCCESS, job
    assert "it is nobody" in job["log"]


def test_a_play_without_hosts_does_nothing(executor: Executor) -> None:
    """As Ansible has it; a limit that leaves no host at all is another matter."""
    job, folder = run(executor, node(play("- ansible.builtin.fail:", hosts="web2"), target="web1"))
    assert job["state"] == SUCCESS
    assert "skipping: no hosts matched" in job["log"]
    assert not (folder / "results.jsonl").exists()


def test_a_host_that_is_not_there(executor: Executor) -> None:
    needs("ssh")
    variables = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": "1"}
    given = [f"{name}={value}" for name, value in variables.items()]
    job, folder = run(executor, node(play("- name: greet\n  ansible.builtin.ping:"), *given, target="web1"))
    assert (job["state"], job["exit_code"]) == (FAILURE, 4)
    assert job["reason"].startswith("exit status 4: task 'greet' did not reach web1: ")
    assert "Connection refused" in job["reason"]
    assert results(folder) == [("unreachable", "web1", "greet")]


def test_secrets_and_what_is_not_to_be_logged(executor: Executor) -> None:
    tasks = (
        "- ansible.builtin.debug:\n    msg: the token is {{ lookup('env', 'KEY') }}",
        "- name: hidden\n  ansible.builtin.debug:\n    msg: word-of-mouth\n  no_log: true",
        "- ansible.builtin.set_stats:\n    data:\n      token: \"{{ lookup('env', 'KEY') }}\"",
        "- name: end\n  ansible.builtin.fail:\n    msg: with {{ lookup('env', 'KEY') }}",
    )
    job, folder = run(executor, node(play(*tasks[:3]), env={"KEY": {"secret": "TOKEN"}}, target="web1"))
    assert job["output"]["token"] == "***"
    assert "the token is ****" in job["log"]
    assert TOKEN not in job["log"]
    assert "word-of-mouth" not in job["log"] + (folder / "results.jsonl").read_text()
    job, _ = run(executor, node(play(tasks[3]), env={"KEY": {"secret": "TOKEN"}}, target="web1"))
    assert job["reason"] == "exit status 2: task 'end' failed on web1: with ***"


def test_a_secret_that_is_quoted_in_what_is_shown_is_hidden(executor: Executor) -> None:
    """As a text, in a structure, in what a program prints as JSON, and in an output that is JSON."""
    key = "{{ lookup('env', 'KEY') }}"
    tasks = (
        f'- ansible.builtin.debug:\n    msg: "it is {key}"',
        f'- ansible.builtin.debug:\n    msg: {{inner: "{key}", json: "{key.replace(" }}", " | to_json }}")}"}}',
        "- ansible.builtin.command:\n    cmd: python3 -c 'import json, os; print(json.dumps(os.environ[\"KEY\"]))'",
        f'- ansible.builtin.set_stats:\n    data:\n      all: {{key: "{key}"}}',
    )
    job, folder = run(executor, node(play(*tasks), "-v", env={"KEY": {"secret": "QUOTED"}}, target="web1"))
    assert job["state"] == SUCCESS, job
    assert job["output"]["all"] == '{"key": "***"}'
    assert job["log"].count("****") >= 4
    assert not any(part in job["log"] for part in ("pass", "word", "größe", "line\\n", "second"))
    assert "second" in (folder / "output.log").read_text("utf-8")


def test_a_secret_is_hidden_before_a_reason_is_cut(executor: Executor) -> None:
    script = (
        "head -c 795 /dev/zero | tr '\\0' x | sed \"s/^/${KEY}/\" >&2; exit 1"  # five bytes of the secret would be left
    )
    job, _ = run(
        executor,
        node(
            play(f"- name: end\n  ansible.builtin.shell: {json.dumps(script)}"),
            env={"KEY": {"secret": "TOKEN"}},
            target="web1",
        ),
    )
    assert job["reason"].endswith(f": ***{'x' * 795}")


def test_large_results_are_cut_and_large_outputs_refused(executor: Executor) -> None:
    tasks = (
        "- name: much\n  ansible.builtin.debug:\n    msg: \"{{ 'x' * 100000 }}\"",
        "- ansible.builtin.set_stats:\n    data:\n      big: \"{{ 'ü' * 40000 }}\"",
    )
    job, folder = run(executor, node(play(*tasks), target="web1"))
    assert (job["state"], job["reason_code"]) == (FAILURE, "output")
    assert job["reason"] == "output 'big' is larger than 65536 bytes"
    assert "x" * 100000 in job["log"] or job["log_size"] > 100_000
    first = json.loads((folder / "results.jsonl").read_text().splitlines()[0])
    assert first["result"]["truncated"] > 100_000
    assert len(first["result"]["msg"]) < 2000


@pytest.mark.parametrize(
    "arg",
    [
        "--inventory=/etc/passwd",
        "-e",
        "--extra-vars=@/etc/passwd",
        "--tags",
        "--forks=0",
        "--forks=x",
        "-vx",
        "--vault-id=x",
        "plain",
        "9x=1",
        "=x",
        "",
    ],
)
def test_other_arguments_are_refused(executor: Executor, arg: str) -> None:
    job = executor.run(node("site.yml", arg))
    assert (job["state"], job["reason_code"]) == (FAILURE, "argument")
    assert "--skip-tags=…" in job["reason"]
    assert "NAME=value" in job["reason"]


def test_options_reach_ansible(executor: Executor) -> None:
    tasks = (
        "- name: left out\n  ansible.builtin.fail:",
        "- name: make\n  ansible.builtin.copy:\n    content: new\n    dest: /nowhere/at/all",
    )
    job, _ = run(
        executor, node(play(*tasks), "--start-at-task=make", "--check", "--diff", "--forks=2", "-vv", target="web1")
    )
    assert "left out" not in job["log"]
    assert "TASK [make]" in job["log"]
    assert "task path:" in job["log"]


def test_what_it_left_running_lives_on_although_its_worker_takes_time_to_end(executor: Executor, place: Path) -> None:
    """Ansible kills a worker that is not yet gone at the end of the play, with all that is in its session."""
    (place / "filter_plugins").mkdir()
    (place / "filter_plugins" / "linger.py").write_text(LINGER)
    mark = f"7{uuid.uuid4().int % 10**6:06d}"
    start = f"sleep {mark} >/dev/null 2>&1 &"
    (place / "linger.yml").write_text(play(f"- ansible.builtin.shell: {start} echo {{{{ 1 | linger }}}}"))
    job, _ = run(executor, node("linger.yml", target="web1"))
    assert job["state"] == SUCCESS, job
    left = wait_until(lambda: alive(f"sleep {mark}"))
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def test_an_inventory_that_is_not_there_is_told(new_executor: Callable[..., Executor]) -> None:
    executor = new_executor(ansible_inventory="/no/such/inventory")
    about = executor.call("GET", "ping").json()["engines"]["ansible"]
    assert (about["ok"], about["reason"]) == (False, "ansible_inventory: cannot read /no/such/inventory")
    assert executor.run(node("---\n"))["reason_code"] == "engine"
