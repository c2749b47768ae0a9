"""A gunicorn configuration of one's own: that of the service, and below it what is to be different.

gunicorn -c gunicorn.conf.py 'gorchestrator.app:create_app()'
"""

# First of all, since it patches; what it names are gunicorn's settings.
from gorchestrator.gunicorn_conf import *  # noqa: F403

# In nginx: server unix:/run/gorchestrator/api.sock; in the settings: trusted_proxies = ["unix"].
bind = "unix:/run/gorchestrator/api.sock"
umask = 0o007  # the socket is for the service's user and group; nginx has to be in that group
workers = 4
