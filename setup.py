"""Builds gorchestrator; all metadata is in setup.cfg.

Only the list of packages is here: the runnable examples of the checkout travel in the installed package as
``gorchestrator.examples``, from the one source ``examples/``.
"""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages(include=["gorchestrator", "gorchestrator.*", "executor", "executor.*"]),
        "gorchestrator.examples",
    ],
    package_dir={"gorchestrator.examples": "examples"},
)
