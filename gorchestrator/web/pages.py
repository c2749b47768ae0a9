"""The routes of the pages. A page is an empty frame; its script fills it from the public API.

So pages hold nothing of any task, and whatever they show, curl can get too.
"""

from pathlib import Path

from flask import Blueprint, Flask, current_app, render_template

from gorchestrator import __version__
from gorchestrator.common.http import headers

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
    headers.permit(app, "web", headers.PAGES)


def scripts(*folders: str) -> list[str]:
    """Return the modules that a page may import, as paths below ``static``: what all pages share, and its folders."""
    own = [path for folder in folders for path in sorted(_SCRIPTS.glob(f"{folder}/*.js"))]
    return [f"js/{path.relative_to(_SCRIPTS)}" for path in [*sorted(_SCRIPTS.glob("*.js")), *own]]


def render(page: str, *parts: str, **more: object) -> str:
    """Return the frame of a page: ``templates/PAGE.html`` with the script ``js/PAGE/main.js``; it may show ``more``.

    ``parts``: what it is made of beside its own folder, each with scripts in ``js/PART/`` and a style ``css/PART.css``.
    """
    # All modules are named in the head, so that the browser loads them at once and not import by import.
    shared = {"page": page, "parts": parts, "navigation": NAVIGATION, "version": __version__}
    shared["scripts"] = scripts(page, *parts)
    return render_template(f"{page}.html", **shared, **more)


@blueprint.get("/")
def tasks() -> str:
    """Show the list of tasks."""
    return render("tasks")


@blueprint.get("/submit")
def submit() -> str:
    """Show the form that submits; it tells the limits of the service before a gorch is beyond them."""
    limits = current_app.config
    return render("submit", body_limit=limits["BODY_LIMIT"], max_nodes=limits["MAX_NODES"])


@blueprint.get("/tasks/<task_id>")
def task(task_id: str) -> str:
    """Show a task, whose id the script of the page reads from the URL."""
    return render("task", "graph", "nodes", "timeline", "drawer")


@blueprint.get("/signin")
def signin() -> str:
    """Show where one signs in."""
    return render("signin")


@blueprint.get("/executors")
def executors() -> str:
    """Show the executors."""
    return render("executors")
