"""Why there is no connection to a host, in words that say what to do, out of what the OpenSSH client said."""

import re

NOISE = re.compile(r"^(@+|\s*|debug\d: .*|Warning: Permanently added .*|\*\* .*)$")
LINES = 3  # of what the client said, at most
# In this order: several may fit.
KNOWN = (
    ("Could not resolve hostname", "its name is not known: check it, or give `host` in ssh_hosts"),
    ("IDENTIFICATION HAS CHANGED", "its host key is not the known one: somebody may listen in, or it was set up anew"),
    ("Host key verification failed", "its host key is not known: put it into known_hosts (ssh-keyscan shows it)"),
    ("Permission denied", "it does not let this user in with this key"),
    ("Too many authentication failures", "it does not let this user in: too many keys were tried; give `private_key`"),
    ("Connection refused", "nothing listens there: is sshd running, is the port right?"),
    ("timed out", "it does not answer"),
    ("No route to host", "there is no way to it"),
    ("Network is unreachable", "there is no way to it"),
)
# sshd drops connections at random while too many are not logged in yet; so does one that is being restarted. And the
# directory of control sockets is removed when it is empty, which another start of this executor may just have done.
PASSING = (
    "kex_exchange_identification",
    "Connection reset by",
    "Connection closed by",
    "banner exchange",
    "unix_listener",
)


class NoConnection(Exception):
    """There is no connection to a host; the text says why and what to do. ``passing``: the next try may well do."""

    def __init__(self, text: str, *, passing: bool = False) -> None:
        super().__init__(text)
        self.passing = passing


def no_connection(target: str, said: str) -> NoConnection:
    """Return the fault for what the client said before it gave up."""
    lines = [line.strip() for line in said.splitlines() if not NOISE.match(line)]
    heard = "; ".join(lines[-LINES:]) or "ssh ended without a word"
    for sign, meaning in KNOWN:
        if sign in said:
            return NoConnection(f"cannot connect to {target}: {meaning} ({heard})")
    return NoConnection(f"cannot connect to {target}: {heard}", passing=any(sign in said for sign in PASSING))
