"""Who may do what, by tokens that a clock and a table decide about."""

import time
from dataclasses import replace

import pytest

from gorchestrator.domain.access import ANYBODY, Principal, Role, Token, digest, make_token
from gorchestrator.domain.errors import Forbidden, StoreUnavailable, Unauthorized
from gorchestrator.service import access
from gorchestrator.service.access import Access, permit


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch):
    monkeypatch.setattr(access, "_LOOK", 0.0)


def new_token(**more):
    token_id, text = make_token()
    kept = {"name": "ci", "role": Role.OPERATOR, "label": None, "made_at": 1.0} | more
    return text, Token(id=token_id, digest=digest(text), **kept)


def test_automatically_all_is_open_until_there_was_a_token():
    kept = []
    found = Access("auto", lambda: kept)
    assert found.identify(None) is ANYBODY
    text, token = new_token()
    kept.append(token)
    with pytest.raises(Unauthorized):
        found.identify(None)
    assert found.identify(text) == Principal("ci", Role.OPERATOR, None, "token", token.id)
    kept[0] = replace(token, revoked_at=2.0)
    with pytest.raises(Unauthorized, match="was revoked"):
        found.identify(text)


@pytest.mark.parametrize(("mode", "opens"), [("open", True), ("required", False)])
def test_what_is_set_goes_before_what_there_is(mode, opens):
    found = Access(mode, lambda: [new_token()[1]] if opens else [])
    assert found.required is not opens


def test_a_token_that_has_expired_or_is_of_another_service_opens_nothing():
    text, token = new_token(expires_at=time.time() + 60)
    found = Access("required", lambda: [token])
    assert found.holds(found.identify(text))
    late, expired = new_token(expires_at=time.time() - 1)
    found = Access("required", lambda: [expired])
    with pytest.raises(Unauthorized, match="has expired"):
        found.identify(late)
    for other in (text, f"{late[:15]}{'x' * 43}", late + "\n", "", "gorch_", "é"):
        with pytest.raises(Unauthorized, match="none of this service"):
            found.identify(other)


def test_what_began_before_the_end_of_a_token_is_told():
    text, token = new_token()
    kept = [token]
    found = Access("required", lambda: kept)
    who = found.identify(text)
    assert found.holds(who)
    kept[0] = replace(token, revoked_at=2.0)
    assert not found.holds(who)


def test_what_everybody_began_ends_when_it_has_to_be_said_who_asks():
    kept = []
    found = Access("auto", lambda: kept)
    assert found.holds(found.identify(None))
    kept.append(new_token()[1])
    assert not found.holds(ANYBODY)
    assert Access("open", lambda: kept).holds(ANYBODY)


def test_those_of_one_name_are_told_apart():
    ways = [
        Principal("ci", Role.VIEWER, way="token", token="1"),
        Principal("ci", Role.VIEWER, way="token", token="2"),
        Principal("ci", Role.VIEWER, way="certificate"),
    ]
    assert [who.key for who in ways] == ["token:1", "token:2", "certificate:ci"]
    assert ANYBODY.key is None


def test_without_the_store_nobody_gets_in(monkeypatch):
    def away():
        raise StoreUnavailable

    found = Access("auto", away)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            found.identify(None)


def test_tokens_are_looked_at_again_after_a_while(monkeypatch):
    monkeypatch.setattr(access, "_LOOK", 60.0)
    looks = []
    found = Access("auto", lambda: looks.append(1) or [])
    for _ in range(3):
        found.identify(None)
    assert len(looks) == 1


def test_a_role_may_what_those_below_it_may():
    viewer = Principal("eve", Role.VIEWER)
    permit(viewer, Role.VIEWER)
    permit(Principal("ann", Role.ADMIN), Role.OPERATOR)
    with pytest.raises(Forbidden, match="needs the role admin, and 'eve' is viewer only"):
        permit(viewer, Role.ADMIN)


def test_a_label_hides_what_does_not_carry_it():
    who = Principal("red", Role.VIEWER, ("team", "red"))
    assert who.sees({"team": "red", "app": "x"})
    assert not any(map(who.sees, ({}, {"team": "blue"}, {"app": "red"})))
    assert ANYBODY.sees({})
