"""How a graph is drawn: where its nodes stand and along which points its edges run.

It belongs to the web client, for which the API answers it, and knows nothing of tasks and HTTP. ``drawer`` is what the
service is given, and the only module that knows gevent. All else runs in a child process, ``python -m
gorchestrator.web.layout``: the library keeps Python's interpreter lock for as long as it computes, half a second for
10,000 nodes and minutes for a dense graph, in which a native thread would hold the hub as surely as a call does.
"""
