"""The engines that need no executor: ``nil`` does nothing, ``sleep`` waits. Their attempts are not journalled apart.

Executors have them too, for nodes whose target names one.
"""

import time
from typing import TYPE_CHECKING

import gevent

from gorchestrator.common import pauses
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.graph import Node
from gorchestrator.domain.records import Kind
from gorchestrator.domain.references import MissingOutput, fill_in

if TYPE_CHECKING:
    from gorchestrator.engine.run import Run


def nil(run: "Run", node: Node) -> None:
    """End a node that has nothing to do."""
    now = time.time()
    run.end_node(node, State.SUCCESS, attempt=1, started_at=now, stopped_at=now)


def sleep(run: "Run", node: Node) -> None:
    """Wait as many seconds as the first argument says (without one: up to 1 s at random); outputs ``result``.

    It ends in a timeout where that comes first. A node that slept already when another process took over sleeps only
    for the rest.
    """
    try:
        args = fill_in(node, run.graph.nodes, run.output_of)
        seconds = pauses.seconds(args)
    except MissingOutput as error:
        run.end_node(node, State.FAILURE, error.code, str(error))
        return
    except ValueError as error:
        run.end_node(node, State.FAILURE, ReasonCode.ARGUMENT, str(error))
        return
    wait = seconds if node.timeout is None else min(seconds, node.timeout)
    started_at = run.rows[node.id].started_at or time.time()
    if run.rows[node.id].state is State.TORUN:
        run.set_node(node, Kind.NODE_RUNNING, state=State.RUNNING, attempt=1, started_at=started_at)
        gevent.sleep(wait)
    else:
        gevent.sleep(min(wait, max(0.0, started_at + wait - time.time())))
    if run.rows[node.id].state.final:  # stopped at the moment at which it woke up
        return
    if wait < seconds:
        run.end_node(node, State.TIMEOUT, ReasonCode.TIMEOUT, f"killed after its timeout of {wait:g} s")
    else:
        run.end_node(node, State.SUCCESS, output={"result": f"{seconds:.3f}"})
