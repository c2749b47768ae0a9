"""The engine ``ansible``: playbooks that run shell lines on this machine, with the real ``ansible-playbook``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from beds import Bed, Node

# What the lines print goes straight to the node's log: Ansible shows what a task has printed when it has ended, or not
# at all, and waits for whoever holds its output.
WRAPPED = """log="${{GORCH_OUTPUT%/*}}/output.log"
(
{lines}
) >>"$log" 2>&1
code=$?
[ $code = 0 ] || tail -n 3 "$log" >&2
exit $code"""


class Ansible(Bed):
    """Inline playbooks with one task."""

    name = "ansible"
    timeout = 3.0

    def settings(self) -> Mapping[str, str]:
        return {"capacity": "6"}  # each takes about a second of a processor, and 70 MB

    def exit_code(self, status: int) -> int:
        return 2 if status else 0

    def node(
        self, *lines: str, args: tuple[str, ...] = (), env: Mapping[str, str] | None = None, **fields: Any
    ) -> Node:
        words = ["sh", "-c", 'eval \\"$PROGRAM\\"', "sh", *(f"{{{{ arg_{number} }}}}" for number in range(len(args)))]
        play = ["---", "- hosts: all", "  gather_facts: false", "  tasks:", "    - ansible.builtin.command:"]
        play += ["        expand_argument_vars: false", "        argv:", *(f'          - "{word}"' for word in words)]
        # In the environment, so that what is shown of a failure has only what the lines print.
        play += ["      environment:", '        PROGRAM: "{{ program }}"', ""]
        given = [f"program={WRAPPED.format(lines=chr(10).join(lines))}"]
        given += [f"arg_{number}={arg}" for number, arg in enumerate(args)]
        node = {"name": "n", "engine": "ansible", "artifact": "\n".join(play), "args": given}
        return {**node, "env": dict(env or {}), **fields}

    def output(self, name: str, value: str) -> str:
        return f'echo {name}="{value}" >>"$GORCH_OUTPUT"'

    def changed(self) -> tuple[Mapping[str, str], bool]:
        return {"ansible_inventory": "/no/such/inventory"}, True

    def missing(self) -> tuple[Node, str, str]:
        return {"name": "n", "engine": "ansible", "artifact": "no-such.yml"}, "artifact", "'no-such.yml' not found"


def bed(_: Path) -> Iterator[Bed]:
    yield Ansible()
