"""The web server: it makes a page of the application's sentence."""

from html import escape

from tier import ask_upstream, serve


def page() -> str:
    """Return the page."""
    return f"<!DOCTYPE html><title>Three tiers</title><p>{escape(ask_upstream())}</p>"


if __name__ == "__main__":
    serve(page, "text/html")
