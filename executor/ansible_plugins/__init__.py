"""Plugins that ``ansible-playbook`` loads, perhaps with another Python than the executor's: they import nothing of it.

Each file here is taken for a callback plugin, so nothing else may lie beside them.
"""
