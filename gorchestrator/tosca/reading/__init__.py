"""Reading: files and CSARs, YAML with positions, imports. What comes out is a :class:`imports.Document`.

It lives below ``tosca`` because only TOSCA needs it; nothing here knows what a type or a template means.
"""
