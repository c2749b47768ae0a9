"""Which executor a node gets, how it waits for several, and what another configuration changes."""

from pathlib import Path

import gevent
import pytest

from client_support import AWAY, Notes, info, until
from gorchestrator.client import fleet as module
from gorchestrator.client import placing
from gorchestrator.client.api import Certificates, ExecutorApi
from gorchestrator.client.fleet import Fleet
from gorchestrator.common.endpoints import Endpoint
from gorchestrator.common.reasons import ReasonCode
from gorchestrator.domain.attempts import NoExecutor
from gorchestrator.domain.graph import Node
from support import PATIENCE

SHARED = Certificates(Path("ca.pem"), Path("cert.pem"), Path("cert.key"))


def new_fleet(**endpoints):
    return Fleet(endpoints, SHARED, lost_after=0.0, log_limit=1000, recalled={"gone": endpoint("gone")}.get)


def endpoint(name, **more):
    return Endpoint(f"https://{name}", **more)


@pytest.fixture
def fleet():
    return new_fleet(one=endpoint("one"), two=endpoint("two"))


def reach(executor, *engines, capacity=1, queue=0):
    """Have contact to an executor with these engines."""
    executor.contact.found(info(capacity, queue, executor.name, *(engines or ("shell",))))


def names(fleet, engine="shell", target=""):
    return [each.name for each in fleet.fitting(target, engine)]


class Holder:
    """A node that holds a slot until it is told to leave."""

    def __init__(self, fleet, **node):
        self.notes, self.left, self.name = Notes(), gevent.event.Event(), None
        self.greenlet = gevent.spawn(self._hold, fleet, Node(0, "a", **{"engine": "shell"} | node))
        gevent.sleep(0)

    def _hold(self, fleet, node):
        with fleet.place(node, self.notes) as (executor, _):
            self.name = executor.name
            self.left.wait()

    def leave(self):
        self.left.set()
        self.greenlet.get(timeout=PATIENCE)


# -- who fits


def test_a_node_may_go_to_the_executor_that_its_target_names_and_to_no_other(fleet):
    assert names(fleet, target="two") == ["two"]
    assert names(fleet, target="two", engine="what it says itself") == ["two"]
    assert fleet.named("two").url == "https://two"
    assert fleet.named("three") is None
    assert (fleet.takes("two"), fleet.takes("some.host")) == (True, False)


def test_else_to_those_with_that_label():
    fleet = new_fleet(
        one=endpoint("one", labels=("gpu",)), two=endpoint("two"), three=endpoint("three", labels=("gpu",))
    )
    assert names(fleet, target="gpu") == ["one", "three"]
    reach(fleet.named("one"), "docker")
    assert names(fleet, target="gpu") == ["three"]  # which may have any engine, as far as is known
    reach(fleet.named("three"), "docker")
    with pytest.raises(NoExecutor, match="no executor with the label 'gpu' has the engine 'shell'"):
        names(fleet, target="gpu")


def test_of_each_other_one_it_is_told_why_not():
    fleet = new_fleet(
        one=endpoint("one", labels=("gpu",)), two=endpoint("two", default=True), three=endpoint("three", default=True)
    )
    reach(fleet.named("one"), "docker")
    reach(fleet.named("two"), "shell", "ssh")
    assert fleet.others("gpu", "docker") == dict.fromkeys(
        ["two", "three"], "the target 'gpu' is for executors with the label 'gpu'"
    )
    assert fleet.others("one", "docker") == dict.fromkeys(["two", "three"], "the target 'one' is for executor 'one'")
    assert fleet.others("host", "docker") == {
        "one": "the target 'host' is for the default executors",
        "two": "it has no engine 'docker'",
    }
    with pytest.raises(NoExecutor) as error:
        names(fleet, target="gpu", engine="shell")
    assert str(error.value) == (
        "no executor with the label 'gpu' has the engine 'shell'; 'two', 'three' have it, but the target 'gpu' is for "
        "executors with the label 'gpu'"
    )


def test_what_each_one_takes_is_told_in_the_words_of_targets():
    fleet = new_fleet(one=endpoint("one", labels=("gpu",)), two=endpoint("two", default=True))
    for_one, for_two = (fleet.aims(fleet.named(name)) for name in ("one", "two"))
    assert {fleet.aim("one"), fleet.aim("gpu")} == for_one
    assert {fleet.aim("two"), fleet.aim("host"), fleet.aim("")} == for_two


def test_else_to_the_default_ones_and_where_none_is_said_to_be_to_all():
    fleet = new_fleet(one=endpoint("one"), two=endpoint("two", default=True), three=endpoint("three", default=True))
    assert names(fleet) == ["two", "three"]
    assert names(fleet, target="some.host") == ["two", "three"]
    assert names(new_fleet(one=endpoint("one"), two=endpoint("two"))) == ["one", "two"]


def test_else_to_nobody(fleet):
    for executor in fleet:
        reach(executor, "docker")
    with pytest.raises(NoExecutor, match="no executor has the engine 'ssh'"):
        names(fleet, engine="ssh")
    assert fleet.engines() == {"docker": frozenset()}


def test_the_engines_are_not_known_before_all_were_reached(fleet):
    reach(fleet.named("one"))
    assert fleet.engines() is None


# -- which of them it gets


def test_the_least_loaded_one_gets_it_for_its_weight():
    fleet = new_fleet(one=endpoint("one"), two=endpoint("two", weight=3))
    for executor in fleet:
        reach(executor, capacity=100)
    assert sorted(Holder(fleet).name for _ in range(8)) == ["one"] * 2 + ["two"] * 6


def test_one_that_can_be_reached_gets_it_whatever_its_load(fleet):
    reach(fleet.named("two"), capacity=5)
    assert {Holder(fleet).name for _ in range(5)} == {"two"}


def test_who_waits_for_several_gets_the_first_slot_that_is_free(fleet, monkeypatch):
    monkeypatch.setattr(placing, "PATIENCE", 0.001)
    for executor in fleet:
        reach(executor)
    first, second = Holder(fleet), Holder(fleet)
    third, fourth = Holder(fleet), Holder(fleet)
    until(lambda: third.notes.told and fourth.notes.told)
    code, reason, _ = third.notes.told[0]
    assert code is ReasonCode.SLOT
    assert (
        reason
        == "waits for one of 2 executors: 'one' has no slot free (1 are taken); 'two' has no slot free (1 are taken)"
    )
    second.leave()
    until(lambda: third.name)
    assert (third.name, fourth.name) == (second.name, None)
    first.leave()
    until(lambda: fourth.name)
    assert fourth.name == first.name
    for each in (third, fourth):
        each.leave()
    assert [(each.slots.used, each.slots.queued) for each in fleet] == [(0, 0), (0, 0)]


def test_who_waits_for_executors_that_are_away_gets_the_first_that_is_back(fleet, monkeypatch):
    monkeypatch.setattr(placing, "PATIENCE", 0.001)
    for executor in fleet:
        executor.contact.lost(AWAY)
    holder = Holder(fleet)
    until(lambda: holder.notes.told)
    code, reason, _ = holder.notes.told[0]
    assert code is ReasonCode.EXECUTOR_UNREACHABLE
    assert reason.count("it is away; not reachable since 20") == 2
    reach(fleet.named("two"))
    until(lambda: holder.name)
    assert holder.name == "two"
    assert holder.notes.told[-1] == (None, None, None)


def test_one_that_turns_out_not_to_have_the_engine_does_not_get_it(fleet):
    holder = Holder(fleet, engine="docker")
    reach(fleet.named("one"), "shell")
    gevent.sleep(0)
    assert (holder.name, fleet.named("one").slots.used) == (None, 0)
    reach(fleet.named("two"), "docker")
    until(lambda: holder.name)
    assert holder.name == "two"


def test_who_is_killed_while_waiting_for_several_leaves_no_trace(fleet):
    for executor in fleet:
        reach(executor)
    holders = [Holder(fleet) for _ in range(3)]
    holders[2].greenlet.kill()
    for each in holders[:2]:
        each.leave()
    assert [(each.slots.used, each.slots.queued) for each in fleet] == [(0, 0), (0, 0)]


# -- another configuration


@pytest.fixture
def changed(fleet, monkeypatch):
    """Return a fleet that looks often whether what was taken out can be forgotten, and does not call anybody."""
    monkeypatch.setattr(module, "_LOOK", 0.001)
    monkeypatch.setattr(placing, "PATIENCE", 0.001)
    monkeypatch.setattr(placing, "_LOOK", 0.001)
    monkeypatch.setattr(ExecutorApi, "ping", lambda _: info())
    for executor in fleet:
        reach(executor)
    return fleet


def test_one_that_was_taken_out_gets_nothing_new_and_is_known_until_what_runs_there_has_ended(changed):
    runs = Holder(changed, target="two")
    gone = changed.named("two")
    waits = Holder(changed, target="two")
    changed.replace({"one": endpoint("one")})
    assert [each.name for each in changed] == ["one"]
    assert changed.named("two") is gone
    until(lambda: waits.name)
    assert waits.name == "one"  # its target is no executor any more, so it goes to the default ones
    runs.leave()
    until(lambda: changed.named("two") is None)
    assert gone.stopped


def test_one_that_only_the_store_knows_is_called_as_long_as_something_runs_there(changed):
    joined = []
    changed.joined = joined.append
    gone = changed.recall("gone")
    assert joined == [gone]
    assert (changed.recall("gone"), changed.named("gone")) == (gone, gone)
    assert gone not in list(changed)
    assert changed.recall("never heard of") is None
    assert changed.recall("one") is changed.named("one")
    until(lambda: changed.named("gone") is None)
    assert gone.stopped


def test_one_that_comes_gets_its_part(changed, monkeypatch):
    joined = []
    changed.joined = joined.append
    holders = [Holder(changed) for _ in range(3)]
    until(lambda: sum(each.name is not None for each in holders) == 2)
    changed.replace({"one": endpoint("one"), "two": endpoint("two"), "three": endpoint("three")})
    assert joined == [changed.named("three")]
    until(lambda: all(each.name for each in holders))
    assert {each.name for each in holders} == {"one", "two", "three"}
    joined[0].stop()


def test_one_that_is_taken_out_and_comes_back_goes_on(changed):
    runs = Holder(changed, target="two")
    two = changed.named("two")
    changed.replace({"one": endpoint("one")})
    changed.replace({"one": endpoint("one"), "two": endpoint("two")})
    assert changed.named("two") is two
    runs.leave()
    assert Holder(changed, target="two").name == "two"
    assert not two.stopped


def test_labels_and_weights_count_at_once_and_another_url_is_called_from_then_on(changed):
    one = changed.named("one")
    own = {"tls_cert": Path("own.pem"), "tls_key": Path("own.key")}
    changed.replace({"one": endpoint("elsewhere", labels=("gpu",), **own), "two": endpoint("two", weight=2)})
    assert changed.named("one") is one
    assert names(changed, target="gpu") == ["one"]
    assert one.url == "https://elsewhere"
    assert one.api.certificates == Certificates(Path("ca.pem"), Path("own.pem"), Path("own.key"))
    assert changed.named("two").load == 0.5
