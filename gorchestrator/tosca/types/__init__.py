"""Types: what node, relationship, capability, data and other types define, each with what it derives from.

It lives between reading, which knows YAML and files, and topology, which knows templates.
"""
