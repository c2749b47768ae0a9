"""Pictures of a graph as text: for Graphviz (``graphviz``), and as an SVG that needs nothing else (``svg``).

It is pure: a graph, what is known of its states, and for the SVG where things stand, in; lines of text out. It stands
beside the services and not in the web client, because whoever has a graph, from wherever, can have it drawn.
"""

from gorchestrator.dot.graphviz import graphviz
from gorchestrator.dot.svg import svg

__all__ = ["graphviz", "svg"]
