"""An attempt is followed to its end whatever happens on the way, and started once."""

from types import SimpleNamespace

import pytest

from client_support import AWAY, Notes, ScriptedApi, attempt, info, job, until
from gorchestrator.client import contact as contact_module
from gorchestrator.client import follow as module
from gorchestrator.client.contact import Contact
from gorchestrator.client.faults import FenceStale, Full, JobUnknown, Rejected, Replaced, Unreachable
from gorchestrator.client.follow import Follower
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.common.states import State
from gorchestrator.domain.attempts import NotTaken
from gorchestrator.domain.errors import Fenced

RUNS = job(State.RUNNING)
LONG, AT_ONCE = 10.0, 0


@pytest.fixture
def following(monkeypatch):
    """Return what makes a follower with scripted answers; pauses are short."""
    for name in ("_FIRST_PAUSE", "_LAST_PAUSE"):
        monkeypatch.setattr(contact_module, name, 0.001)
        monkeypatch.setattr(module, name, 0.001)
    contacts = []

    def make(*, fresh=True, log_size=0, lost_after=0.0, ping=None, **answers):
        api, watch = ScriptedApi(ping=ping or [info()], **answers), Notes(fresh=fresh, log_size=log_size)
        contact = Contact(api, lambda _: None)
        contacts.append(contact)
        contact.start()
        until(lambda: api.count("ping"))
        follower = Follower(attempt(), watch, api=api, contact=contact, lost_after=lost_after, log_limit=10_000)
        return SimpleNamespace(api=api, watch=watch, contact=contact, follow=follower.follow)

    yield make
    for contact in contacts:
        contact.stop()


def calls(found, *methods):
    return [call for call in found.api.calls if call[0] in methods]


def test_a_short_one_costs_one_call(following):
    found = following(put=[job(log=b"hello", output={"x": "1"}, exit_code=0)])
    result = found.follow()
    assert (result.state, result.output, result.exit_code) == (State.SUCCESS, {"x": "1"}, 0)
    assert (result.started_at, result.stopped_at) == (1.0, 2.0)
    assert calls(found, "put", "get") == [("put", attempt().id)]
    assert found.watch.logged == b"hello"
    assert found.watch.told == []


def test_a_longer_one_is_waited_for_and_its_log_comes_as_it_grows(following):
    found = following(
        put=[job(State.RUNNING, log=b"one ")],
        get=[
            job(State.RUNNING, log=b"two ", log_from=4, log_next=8, log_size=8),
            job(State.FAILURE, reason="no", reason_code="exit", log=b"end", log_from=8, log_next=11, log_size=11),
        ],
    )
    result = found.follow()
    assert (result.state, result.reason, result.reason_code) == (State.FAILURE, "no", ReasonCode.EXIT)
    assert [call[2:] for call in calls(found, "get")] == [(4, LONG), (8, LONG)]
    assert found.watch.logged == b"one two end"


def test_the_rest_of_a_log_is_fetched_without_waiting(following):
    found = following(put=[job(log=b"one", log_size=6)], get=[job(log=b"two", log_from=3, log_next=6, log_size=6)])
    found.follow()
    assert [call[2:] for call in calls(found, "get")] == [(3, AT_ONCE)]
    assert found.watch.logged == b"onetwo"


def test_one_that_waits_on_the_executor_is_shown_as_torun_until_it_runs(following):
    found = following(put=[job(State.TORUN, queued=True)], get=[job(State.TORUN, queued=True), RUNS, job()])
    found.follow()
    assert [(code, state) for code, _, state in found.watch.told] == [
        (ReasonCode.SLOT, State.TORUN),
        (ReasonCode.SLOT, State.TORUN),
        (None, State.RUNNING),
    ]


def test_what_keeps_it_from_getting_on_is_told_until_it_does(following):
    stuck = job(State.RUNNING, reason="Docker daemon unreachable")
    found = following(put=[RUNS], get=[stuck, stuck, RUNS, job()])
    found.follow()
    assert found.watch.told == [
        (ReasonCode.TROUBLE, "Docker daemon unreachable", State.RUNNING),
        (ReasonCode.TROUBLE, "Docker daemon unreachable", State.RUNNING),
        (None, None, State.RUNNING),
    ]


def test_an_executor_that_is_full_gets_it_again_later(following):
    found = following(put=[Full("full", 0.001), Full("full", 0.001), job()])
    assert found.follow().state is State.SUCCESS
    assert found.api.count("put") == 3
    assert found.watch.told == [(ReasonCode.EXECUTOR_FULL, "full", State.TORUN)] * 2


def test_when_contact_is_lost_it_is_found_again_by_its_id(following):
    found = following(ping=[info(), AWAY, AWAY, info()], put=[RUNS], get=[AWAY, RUNS, job()])
    assert found.follow().state is State.SUCCESS
    assert found.api.count("put") == 1
    assert [call[3] for call in calls(found, "get")] == [LONG, AT_ONCE, LONG]


def test_a_start_that_was_not_answered_is_repeated_under_the_same_id(following):
    found = following(put=[AWAY, RUNS], get=[job()])
    assert found.follow().state is State.SUCCESS
    assert calls(found, "put") == [("put", attempt().id)] * 2


def test_what_was_told_of_a_fault_is_taken_back(following):
    fault = Unreachable(ReasonCode.EXECUTOR_REFUSED, "status 500")
    found = following(put=[RUNS], get=[fault, fault, RUNS, job()])
    found.follow()
    assert found.watch.told == [(ReasonCode.EXECUTOR_REFUSED, "status 500", None), (None, None, State.RUNNING)]


def test_an_executor_that_answers_only_pings_is_asked_less_and_less_often(following, monkeypatch):
    pauses = []
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.1)
    monkeypatch.setattr(module, "_LAST_PAUSE", 1.0)
    monkeypatch.setattr(module, "gevent", SimpleNamespace(sleep=pauses.append))
    found = following(put=[*[AWAY] * 7, RUNS], get=[AWAY, AWAY, job()])
    found.follow()
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 0.1]


@pytest.mark.parametrize("pings", [[info(), AWAY], [info()]])
def test_after_too_long_without_contact_it_is_lost(following, monkeypatch, pings):
    """Also where the executor answers pings: what became of the attempt is not known."""
    clock = iter(range(0, 100_000, 1000))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    found = following(ping=pings, put=[RUNS], get=[AWAY], lost_after=300.0)
    result = found.follow()
    assert (result.state, result.reason_code) == (State.FAILURE, ReasonCode.LOST)
    assert result.reason.endswith("s; death not verified: it is away")


def test_whose_death_was_asked_for_is_not_given_up(following, monkeypatch):
    clock = iter(range(0, 10**9, 10**6))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    found = following(put=[RUNS], get=[*[AWAY] * 20, job(state=State.CANCELED)], lost_after=300.0)
    found.watch.canceling = True
    assert found.follow().state is State.CANCELED


def test_with_0_it_is_never_lost(following, monkeypatch):
    clock = iter(range(0, 10**9, 10**6))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(clock)))
    found = following(put=[RUNS], get=[*[AWAY] * 20, job()], lost_after=0.0)
    assert found.follow().state is State.SUCCESS


@pytest.mark.parametrize(
    "fault",
    [
        Rejected(ReasonCode.ENGINE, "unknown engine"),
        JobUnknown(ReasonCode.LOST, "no such job"),
        Replaced(ReasonCode.LOST, "another executor"),
    ],
)
def test_what_will_not_pass_ends_it(following, fault):
    found = following(put=[fault], fresh=False)
    result = found.follow()
    unknown = "" if isinstance(fault, Rejected) else "; death not verified"
    assert (result.state, result.reason, result.reason_code) == (State.FAILURE, fault.reason + unknown, fault.code)


def test_an_executor_that_is_full_is_in_contact(following):
    """However long it has no room: what counts is how long it does not answer at all."""
    full = Full("no room", 0.3)
    found = following(put=[full, full, AWAY, job()], lost_after=0.2, ping=[info(), AWAY, info()])
    assert found.follow().state is State.SUCCESS


def test_what_another_process_has_noted_is_taken_back(following):
    found = following(put=[RUNS], get=[job()], fresh=False)
    found.follow()
    assert found.watch.told == [(None, None, State.RUNNING)]


def test_it_is_given_up_on_somebodys_word_where_nobody_answers(following):
    found = following(put=[RUNS], get=[AWAY], ping=[info(), AWAY])
    found.watch.given_up = True
    result = found.follow()
    assert (result.state, result.reason_code, result.verified) == (State.FAILURE, "lost", False)


def test_an_answer_beats_somebodys_word(following):
    found = following(put=[RUNS], get=[job(exit_code=0)])
    found.watch.given_up = True
    assert found.follow().state is State.SUCCESS


def test_a_newer_owner_is_made_way_for(following):
    found = following(put=[RUNS], get=[FenceStale(ReasonCode.EXECUTOR_REFUSED, "fence 2 was seen")])
    with pytest.raises(Fenced, match="fence 2 was seen"):
        found.follow()


def test_a_fresh_one_was_surely_not_taken_by_an_executor_that_was_replaced(following):
    found = following(put=[Replaced(ReasonCode.LOST, "another executor")])
    with pytest.raises(NotTaken):
        found.follow()
    assert found.contact.fault is not None or found.api.count("ping") > 1  # so that its new id is asked for


def test_one_whose_start_was_not_answered_may_have_been_taken_before_the_replacement(following):
    found = following(put=[AWAY, Replaced(ReasonCode.LOST, "another executor")])
    assert found.follow().reason_code is ReasonCode.LOST


def test_a_reason_code_that_is_not_known_here_is_left_out(following):
    found = following(put=[job(State.FAILURE, reason="odd", reason_code="from the future")])
    assert found.follow().reason_code is None
