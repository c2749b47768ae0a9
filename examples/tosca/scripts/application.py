"""The application: it makes a sentence of the database's number."""

from tier import ask_upstream, serve


def greeting() -> str:
    """Return the sentence."""
    return f"Hello, you are visitor {ask_upstream()}"


if __name__ == "__main__":
    serve(greeting)
