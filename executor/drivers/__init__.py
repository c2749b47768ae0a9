"""Drivers, one file each. They do not import each other; ``executor.engines`` finds them by their entry points."""
