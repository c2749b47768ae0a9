"""Nodes of a gorch: what each step becomes."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gorchestrator.tosca.faults import Report
from gorchestrator.tosca.model import Artifact, FileName, Operation, Runtime
from gorchestrator.tosca.plan import Step
from gorchestrator.tosca.writing.engines import SHELLS, Options, Targets, engine_of
from gorchestrator.tosca.writing.launcher import VARIABLE, Composition, interpreter, is_text, launch
from gorchestrator.tosca.writing.producers import Produced
from gorchestrator.tosca.writing.values import Piece, known, pieces

_REFERENCE = "get_attribute "
MAX_ARTIFACT = 1048576  # characters, as gorchs have them

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """What a step runs, and what it gets. ``sources``: what produces the values of the run that its inputs want."""

    step: Step
    operation: Operation
    artifact: Artifact
    inputs: Mapping[str, Any]
    sources: Mapping[Runtime, Produced]
    outputs: Collection[str]  # names that others read

    def reference(self, name: str, wanted: Runtime) -> str:
        """Return the argument that hands a value of the run over."""
        produced = self.sources[wanted]
        return f"{name}=get_attribute {produced.step}:{produced.output}"


@dataclass(frozen=True, slots=True)
class Parted:
    """Inputs: texts that are known, values of other nodes as they are, and what is put together of both."""

    fixed: dict[str, str]
    references: dict[str, Runtime]
    composition: Composition

    @classmethod
    def of(cls, values: Mapping[str, Sequence[Piece]]) -> "Parted":
        """Part inputs."""
        parted = cls({}, {}, Composition())
        for name, found in values.items():
            text = known(found)
            if text is not None:
                parted.fixed[name] = text
            elif len(found) == 1 and isinstance(found[0], Runtime):
                parted.references[name] = found[0]
            else:
                parted.composition.add(name, found)
        return parted

    def taken_for_references(self) -> dict[str, str]:
        """Take out the known texts that an executor would look up, if they were arguments, and return them."""
        found = {name: text for name, text in self.fixed.items() if text.startswith(_REFERENCE)}
        for name in found:
            del self.fixed[name]
        return found

    def args(self, work: Work, *, fixed: bool) -> list[str]:
        """Return arguments ``NAME=value`` for all of it; ``fixed``: also for what is known."""
        known_ones = [f"{name}={value}" for name, value in self.fixed.items()] if fixed else []
        wanted = self.references | self.composition.args
        return known_ones + [work.reference(name, each) for name, each in wanted.items()]


class NodeWriter:
    """Makes nodes of steps that run something."""

    def __init__(self, targets: Targets, options: Options, report: Report) -> None:
        self._targets = targets
        self._options = options
        self._report = report

    def write(self, work: Work) -> Json:
        """Return the node without name and edges; an empty one if there is a fault."""
        step, operation = work.step, work.operation
        engine = engine_of(work.artifact, self._options)
        if engine is None:
            text = f"nothing tells what runs {work.artifact.file}: say --engine EXTENSION=ENGINE, or TYPE=ENGINE"
            self._report.fault(work.artifact.place, text)
            return {}
        engine, target = self._targets.of(step, engine)
        write = self._script if engine in SHELLS else self._other
        node: Json = {"engine": engine, **write(work, engine), "target": target, "timeout": operation.timeout}
        node["output"] = dict.fromkeys(sorted(work.outputs), "")
        return {key: value for key, value in node.items() if value}

    # -- scripts

    def _script(self, work: Work, engine: str) -> Json:
        inputs = Parted.of(self._variables(work))
        by_variables = engine == "toscassh"
        if work.artifact.content is None:
            self._check_named(work, inputs, by_variables=by_variables)
            text = work.artifact.file
        else:
            text = self._text(work, inputs, by_variables=by_variables)
        if by_variables:
            env = inputs.taken_for_references()
            return {"artifact": text, "args": inputs.args(work, fixed=True), "env": env}
        return {"artifact": text, "args": inputs.args(work, fixed=False), "env": inputs.fixed}

    def _text(self, work: Work, inputs: Parted, *, by_variables: bool) -> str:
        """Return the script, or the launcher that it needs."""
        script, located = work.artifact, _located(work)
        known_files = {each.file for each in (script, *work.operation.dependencies)}
        added = {each.file: each for each in located.values() if each.file not in known_files}
        dependencies = [*work.operation.dependencies, *added.values()]
        watched = {name for name in work.outputs if VARIABLE.fullmatch(name)}
        is_plain = not dependencies and not inputs.composition.names and is_text(script.content or b"")
        if is_plain and (by_variables or not (watched or inputs.references)):
            return _inline(script)
        missing = [each.file for each in dependencies if each.content is None]
        if missing:
            self._report.warn(work.step.place, f"left out, as there is no such file: {', '.join(missing)}")
        along = [each for each in dependencies if each.content is not None]
        self._check_places(work, [script, *along])
        names = [*inputs.fixed, *inputs.references, *inputs.composition.names]
        text = launch(script, along, inputs.composition, names, watched, takes_args=not by_variables, located=located)
        if len(text) > MAX_ARTIFACT:
            told = f"{len(text):,} characters of at most {MAX_ARTIFACT:,}"
            self._report.fault(work.step.place, f"{script.file} and what it depends on are {told}")
        return text

    def _check_places(self, work: Work, files: Sequence[Artifact]) -> None:
        """Refuse two files that would lie in one place."""
        found: dict[str, bytes | None] = {}
        for each in files:
            if found.setdefault(each.file, each.content) != each.content:
                text = f"{work.step.name} needs two files {each.file} that differ: give one another name"
                self._report.fault(each.place, text)

    def _check_named(self, work: Work, inputs: Parted, *, by_variables: bool) -> None:
        """Leave out what a file of the executor cannot get, as there is no launcher in front of it."""
        self._leave_out(work, inputs.composition.names, "no text is put together for a file that is not here")
        inputs.composition.clear()
        if not by_variables:
            self._leave_out(work, inputs.references, "a file that is not here gets no values of the run")
            inputs.references.clear()

    def _variables(self, work: Work) -> dict[str, Sequence[Piece]]:
        """Return inputs by names that variables can have."""
        named: dict[str, Sequence[Piece]] = {}
        for name, value in work.inputs.items():
            variable = _variable(name)
            if variable != name:
                text = f"the input {name} of {work.step.name} is the variable {variable}"
                self._report.warn(work.step.place, text)
            if variable in named:
                self._report.fault(work.step.place, f"two inputs of {work.step.name} are the variable {variable}")
            named[variable] = pieces(value)
        return named

    # -- other engines

    def _other(self, work: Work, engine: str) -> Json:
        """Return what an image, a playbook, or whatever an engine runs that is not ours, gets."""
        artifact = work.artifact
        if work.operation.dependencies:
            files = ", ".join(each.file for each in work.operation.dependencies)
            text = f"{files}: left out, as {engine} takes nothing beside {artifact.file}"
            self._report.warn(work.step.place, text)
        inputs = Parted.of({name: pieces(value) for name, value in work.inputs.items()})
        self._leave_out(work, inputs.composition.names, f"{engine} puts no texts together")
        inputs.composition.clear()
        if engine == "docker":
            self._leave_out(work, inputs.references, "a container's variables have to be known before the run")
            return {"artifact": artifact.file, "env": inputs.fixed}
        lookalikes = inputs.taken_for_references()
        self._leave_out(work, lookalikes, f"a value that begins with {_REFERENCE.strip()} would be looked up")
        return {"artifact": _text_of(artifact, engine), "args": inputs.args(work, fixed=True)}

    def _leave_out(self, work: Work, names: Collection[str], why: str) -> None:
        if names:
            self._report.warn(work.step.place, f"left out of {work.step.name}: {', '.join(sorted(names))}; {why}")


def _located(work: Work) -> dict[str, Artifact]:
    """Return the files that inputs name by get_artifact and that can travel along, by the variables that name them."""
    files = {_variable(name): value.artifact for name, value in work.inputs.items() if isinstance(value, FileName)}
    return {name: artifact for name, artifact in files.items() if artifact.content is not None}


def _variable(name: str) -> str:
    """Return a name that a variable can have."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)
    return plain if VARIABLE.fullmatch(plain) else f"_{plain}"


def _inline(script: Artifact) -> str:
    """Return a script's text so that an executor knows it for one."""
    text = (script.content or b"").decode()
    return text if text.startswith("#!") else f"#!{' '.join(interpreter(script))}\n{text}"


def _text_of(artifact: Artifact, engine: str) -> str:
    """Return the content of a file that is at hand, a playbook so that an executor knows it for one; else its name."""
    if artifact.content is None or not is_text(artifact.content):
        return artifact.file
    text = artifact.content.decode()
    if engine != "ansible":
        return text
    begin = re.search(r"^---", text, re.MULTILINE)
    return text[begin.start() :] if begin and _is_comment(text[: begin.start()]) else f"---\n{text}"


def _is_comment(text: str) -> bool:
    return all(not line.strip() or line.startswith(("#", "%")) for line in text.splitlines())
