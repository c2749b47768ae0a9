"""``python -m gorchestrator.cli`` is ``gorch``; servers and tests are started by it."""

from gorchestrator.cli import main

if __name__ == "__main__":
    main()
