"""Planning: which operations of a topology run, and which before which.

:mod:`declarative` weaves the lifecycles of nodes and relationships, for a deployment and for its mirror;
:mod:`imperative` follows a workflow step by step, with :mod:`conditions` decided as far as they can be; :mod:`compact`
leaves out what does no work; :mod:`cycles` names what waits for itself.
"""

from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.model import Topology
from gorchestrator.tosca.plan import Plan
from gorchestrator.tosca.planning.compact import compacted
from gorchestrator.tosca.planning.cycles import refuse_cycles
from gorchestrator.tosca.planning.declarative import deployment, undeployment
from gorchestrator.tosca.planning.imperative import workflow

__all__ = ["deploy", "run_workflow", "undeploy"]


def deploy(topology: Topology, report: Report, *, compact: bool = True) -> Plan:
    """Return the plan that creates, configures and starts all nodes; cycles are faults."""
    return _finished(deployment(topology, report), topology, report, compact=compact)


def undeploy(topology: Topology, report: Report, *, compact: bool = True) -> Plan:
    """Return the plan that stops and deletes all nodes: the deployment's order, mirrored; cycles are faults."""
    return _finished(undeployment(topology, report), topology, report, compact=compact)


def run_workflow(topology: Topology, name: str, report: Report, *, compact: bool = True) -> Plan:
    """Return the plan of an imperative workflow; an unknown name and cycles are faults."""
    return _finished(workflow(topology, name, report), topology, report, compact=compact)


def _finished(plan: Plan, topology: Topology, report: Report, *, compact: bool) -> Plan:
    if not plan.steps and not report.faults:
        report.warn(topology.place, "there is nothing to run: it has no node templates, or the workflow no steps")
    if not refuse_cycles(plan, report) or report.faults:
        return Plan()
    return compacted(plan) if compact else plan
