"""The routes of the pages. A page is an empty frame; its script fills it from the public API.

So pages hold nothing of any task, and whatever they show, curl can get too.
"""

from pathlib import Path

from flask import Blueprint, Flask, render_template

from gorchestrator import __version__

blueprint = Blueprint("web", __name__, template_folder="templates", static_folder="static")

# What the navigation leads to: name of the page, its path, its title.
NAVIGATION = (
    ("tasks", "/", "Tasks"),
    ("submit", "/submit", "Submit"),
    ("executors", "/executors", "Executors"),
    ("apidocs", "/apidocs/", "API docs"),
)
_SCRIPTS = Path(__file__).parent / "static" / "js"


def install(app: Flask) -> None:
    """Add the pages and their static files."""
    app.register_blueprint(blueprint)


def scripts(page: str) -> list[str]:
    """Return the modules that a page may import, as paths below ``static``: what all pages share, and its folder."""
    own = sorted(_SCRIPTS.glob(f"{page}/*.js"))
    return [f"js/{path.relative_to(_SCRIPTS)}" for path in [*sorted(_SCRIPTS.glob("*.js")), *own]]


def render(page: str) -> str:
    """Return the frame of a page: ``templates/PAGE.html`` with the script ``js/PAGE/main.js``."""
    # All modules are named in the head, so that the browser loads them at once and not import by import.
    return render_template(f"{page}.html", page=page, navigation=NAVIGATION, scripts=scripts(page), version=__version__)


@blueprint.get("/")
def tasks() -> str:
    """Show the list of tasks."""
    return render("tasks")


@blueprint.get("/executors")
def executors() -> str:
    """Show the executors."""
    return render("executors")
