"""The engine ``http``: asks a server for something, or tells it something, from inside of the executor."""

import ssl
import time
from dataclasses import replace

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from executor.addresses import Allowed
from executor.config import Config
from executor.drivers.base import Driver, Job
from executor.drivers.http.answer import Answer, NoOutput
from executor.drivers.http.connection import Refused, connector, context, session
from executor.drivers.http.exchange import Exchange, Failed
from executor.drivers.http.options import Options
from executor.drivers.http.request import Request, Unclear, made
from executor.drivers.http.veil import Veil
from executor.outcome import Exit, Outcome, failure
from gorchestrator.common import traceparent
from gorchestrator.common.reasons import ReasonCode


class Http(Driver):
    """Sends one request, and judges the answer by its status."""

    fields = frozenset({"artifact", "args", "env", "output", "timeout"})
    options = Options

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._connect = connector(Allowed(config.http_allow))
        self._tls: ssl.SSLContext | None = None

    def use(self, config: Config) -> None:
        """Take other settings, for connections that are made from now on."""
        super().use(config)
        self._connect = connector(Allowed(config.http_allow))

    def check(self) -> str | None:
        """Return why certificates cannot be checked."""
        try:
            self._context()
        except OSError as error:
            return f"http_ca: cannot read {self.config.http_ca or DEFAULT_CA_BUNDLE_PATH}: {error.strerror or error}"
        return None

    def run(self, job: Job) -> Outcome:
        """Send the request, or say why not. One that may have had an effect is not sent again after a restart."""
        try:
            request = _request(job)
        except Unclear as error:
            return failure(ReasonCode.ARGUMENT, str(error))
        first = job.begin()
        if not first and not request.safe:
            text = f"the executor was restarted meanwhile; whether the {request.method} has had its effect is not known"
            return _ended(job, failure(ReasonCode.LOST, text))
        if wrong := self.check():
            return _ended(job, failure(ReasonCode.ENGINE, wrong))
        veil = _veil(job)
        with job.interruptible():
            outcome = self._exchanged(job, request, veil, first=first)
        return _ended(job, replace(outcome, reason=outcome.reason and veil.text(outcome.reason)))

    def _exchanged(self, job: Job, request: Request, veil: Veil, *, first: bool) -> Outcome:
        with session(self._connect, self._context()) as open_session:
            exchange = Exchange(job, open_session, veil)
            if not first:
                exchange.say("! the executor was restarted; once more")
            try:
                answer = exchange.answer(request, follow=job.options["follow_redirects"])
            except (Refused, Unclear) as error:
                return failure(ReasonCode.ARGUMENT, str(error))
            except Failed as error:
                return failure(ReasonCode.LOST if error.lost else ReasonCode.CONNECTION, str(error))
        return _judged(job, answer, veil)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:  # made once: it takes a hundredth of a second, in which nothing else is done
            self._tls = context(str(self.config.http_ca or DEFAULT_CA_BUNDLE_PATH))
        return self._tls


def _request(job: Job) -> Request:
    variables = {**job.our_env, **job.node_env}
    return made(job.attempt.artifact, job.attempt.args, job.options, variables, job.our_env.get(traceparent.VARIABLE))


def _veil(job: Job) -> Veil:
    given = job.node_env
    return Veil(given[name] for name, value in job.attempt.env.items() if not isinstance(value, str))


def _judged(job: Job, answer: Answer, veil: Veil) -> Outcome:
    expected = job.options["expect"]
    if not answer.is_one_of(expected):
        text = f"the server answered {answer}, expected was {', '.join(map(str, expected))}"
        said = answer.excerpt()
        return failure(ReasonCode.ANSWER, f"{text}: {said}" if said else text)
    try:
        output = answer.outputs(job.options["outputs"], veil.text)
    except NoOutput as error:
        return failure(ReasonCode.OUTPUT, str(error))
    outcome = job.outcome(Exit.exited(0, job.started_at), "http", output)
    return replace(outcome, exit_code=None)


def _ended(job: Job, outcome: Outcome) -> Outcome:
    return replace(outcome, started_at=job.started_at, stopped_at=time.time())
