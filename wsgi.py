"""What gunicorn serves from a checkout: ``wsgi:orchestrator()`` and ``wsgi:executor()``.

An installed one is served as ``gorchestrator.app:create_app()`` and ``executor.app:create_app()``.
"""

from gorchestrator.common.patching import patch_all

patch_all()

from flask import Flask  # noqa: E402  (after patching)


def orchestrator() -> Flask:
    """Return the orchestrator's application, configured from ``GORCH_*`` and its file."""
    from gorchestrator.app import create_app  # noqa: PLC0415  (each service imports only its own half)

    return create_app()


def executor() -> Flask:
    """Return the executor's application, configured from ``GORCH_EXECUTOR_*`` and its file."""
    from executor.app import create_app  # noqa: PLC0415

    return create_app()
