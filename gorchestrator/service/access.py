"""Who makes a request, and whether they may: by the tokens that the store has, looked at again each second."""

import time
from collections.abc import Callable, Mapping, Sequence

from gorchestrator.common.checks import AUTO, REQUIRED
from gorchestrator.domain.access import ANYBODY, Principal, Role, Token, id_of
from gorchestrator.domain.errors import Forbidden, Unauthorized

_LOOK = 1.0  # seconds between two looks at the tokens

_HOW = "send another one, which `gorch token create` makes"


class Access:
    """The guard's knowledge. With ``auto`` everybody may do everything until the first token is made."""

    def __init__(self, mode: str, read: Callable[[], Sequence[Token]], roles: Mapping[str, str] | None = None) -> None:
        """``read`` returns all tokens that were ever made; ``roles``: those of names in certificates."""
        self.mode = mode
        self.use(roles or {})
        self._read = read
        self._tokens: dict[str, Token] = {}
        self._next = 0.0

    @property
    def required(self) -> bool:
        """Whether it has to be said who asks. Raises StoreUnavailable if that cannot be known."""
        self._look()
        return self.mode == REQUIRED or (self.mode == AUTO and bool(self._tokens or self._roles))

    def use(self, roles: Mapping[str, str]) -> None:
        """Give names in certificates these roles from now on."""
        self._roles = {name: Role.named(role) for name, role in roles.items()}

    def identify(self, bearer: str | None, names: Sequence[str] = ()) -> Principal:
        """Return whose request has this token, or else a certificate with these names.

        Raises Unauthorized, or StoreUnavailable.
        """
        if not self.required:
            return ANYBODY
        if bearer is None:
            return self._certified(names)
        found = self._tokens.get(id_of(bearer) or "")
        if found is None or not found.is_made_of(bearer):
            raise Unauthorized(f"The token is none of this service: {_HOW}.")
        if found.revoked_at is not None:
            raise Unauthorized(f"The token {found.id} was revoked: {_HOW}.")
        if not found.valid(time.time()):
            raise Unauthorized(f"The token {found.id} has expired: {_HOW}.")
        return Principal(found.name, found.role, found.label, "token", found.id)

    def holds(self, principal: Principal) -> bool:
        """Whether somebody may still do what began before, such as follow events. Raises StoreUnavailable."""
        if principal.way == "certificate":
            return self._roles.get(principal.name) == principal.role
        if principal.way == "open":
            return not self.required
        self._look()
        found = self._tokens.get(principal.token)
        return found is not None and found.valid(time.time())

    def _certified(self, names: Sequence[str]) -> Principal:
        if not names:
            raise Unauthorized
        known = next((name for name in names if name in self._roles), None)
        if known is None:
            raise Unauthorized(
                f"The certificate is of {' alias '.join(names)}, who has no role here: the setting client_roles "
                "(GORCH_CLIENT_ROLES) gives one; or send a token."
            )
        return Principal(known, self._roles[known], way="certificate")

    def _look(self) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LOOK  # before the reading, which lets others run: one of them is enough
            try:
                self._tokens = {each.id: each for each in self._read()}
            except BaseException:
                self._next = 0.0
                raise


def permit(principal: Principal, role: Role) -> None:
    """Return if somebody has a role, or one above it. Raises Forbidden."""
    if principal.role < role:
        raise Forbidden(
            f"This needs the role {role.label}, and {principal.name!r} is {principal.role.label} only: ask who runs "
            f"the service for a token of that role (gorch token create --role {role.label})."
        )
