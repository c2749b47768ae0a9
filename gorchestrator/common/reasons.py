"""Why a node or a task is in its state, for programs: the values of ``reason_code`` on the wire.

The prose beside it (``reason``) is for people and may change; these codes do not.
"""

from enum import StrEnum


class ReasonCode(StrEnum):
    """The documented values of ``reason_code``."""

    # while it is not final
    SLOT = "slot"  # waits for a free slot on its executor
    EXECUTOR_UNREACHABLE = "executor_unreachable"  # no answer; it is tried again until `lost_after` has passed
    EXECUTOR_FULL = "executor_full"  # the executor answered 503; sent again after its Retry-After
    BACKOFF = "backoff"  # an attempt has failed; the next one follows after a pause
    TROUBLE = "trouble"  # it runs, and does not get on: its executor says why
    CANCELING = "canceling"  # a cancel was asked for; death is not verified yet
    ASK = "ask"  # an attempt was lost; a person has to say how it counts (gorch resolve)
    # how a node ended
    EXIT = "exit"  # its process ended with a status other than 0
    SIGNAL = "signal"  # its process was ended by a signal
    MEMORY = "memory"  # it needed more memory than it may have, and was killed
    TIMEOUT = "timeout"  # it ran longer than it may and was killed
    CANCELED = "canceled"  # a cancel stopped it
    DEADLINE = "deadline"  # the graph's deadline has passed; while it is not final, its death is not verified yet
    REUSED = "reused"  # it succeeded in the task of which this one is a rerun; its outputs are taken over
    RESOLVED = "resolved"  # a person said how it counts; its death is not verified
    LOST = "lost"  # its executor is gone, or its process ended and nobody knows how
    PREDECESSOR = "predecessor"  # a predecessor did not succeed
    REFERENCE = "reference"  # a get_attribute names an output that was not produced
    ENGINE = "engine"  # no executor knows the engine, or the engine cannot work there
    ARTIFACT = "artifact"  # the artifact is not there, or cannot be started
    ARGUMENT = "argument"  # the engine cannot honour an argument or a field of the node
    SECRET = "secret"  # noqa: S105  (a code) a secret that it names is not there, or others may read it
    CONNECTION = "connection"  # the host that it talks to cannot be reached
    ANSWER = "answer"  # the server's answer is not what the node expects
    OUTPUT = "output"  # an output is larger than it may be
    EXECUTOR_REFUSED = "executor_refused"  # the executor refused the attempt, or this service's certificate
    # how a task ended
    NODES = "nodes"  # at least one node did not succeed
    # a fault of this program
    INTERNAL = "internal"
