"""What the executor refuses, and why. ``executor.api`` has the table of their HTTP statuses."""

from typing import Any, ClassVar


class Refused(Exception):
    """The executor refuses this."""

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str | None = None, **data: Any) -> None:
        """``detail`` says what and what to do (default: the docstring); ``data`` is for programs."""
        self.detail = detail or (type(self).__doc__ or self.code)
        self.data = data
        super().__init__(self.detail)


class JobUnknown(Refused):
    """There is no such task on this executor."""

    code = "job-unknown"


class JobGone(Refused):
    """The task ended long ago and its record was dropped; it is not run again."""

    code = "job-gone"


class JobNotFinal(Refused):
    """The task has not ended: there is no result that could be acknowledged."""

    code = "job-not-final"


class AttemptDiffers(Refused):
    """A task of this id exists and says something else; an id stands for one attempt."""

    code = "attempt-differs"


class EngineUnknown(Refused):
    """There is no such engine on this executor."""

    code = "engine-unknown"


class FieldNotHonoured(Refused):
    """The engine cannot honour a field of the node."""

    code = "field-not-honoured"


class OptionsInvalid(Refused):
    """The engine cannot use the node's options."""

    code = "options-invalid"


class FenceStale(Refused):
    """Another process owns the run now."""

    code = "fence-stale"


class InstanceMismatch(Refused):
    """Another executor than this one was meant: its data directory is another one."""

    code = "instance-mismatch"


class QueueFull(Refused):
    """All places and the queue are taken; try again later."""

    code = "queue-full"


class StorageFull(Refused):
    """The executor's disk is full: nothing was accepted; try again later."""

    code = "storage-full"


class Draining(Refused):
    """The executor is about to stop; try again when it is back."""

    code = "draining"
