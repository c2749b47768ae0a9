"""TOSCA in: service templates and CSARs become gorchs.

One way through: :mod:`reading` (files, YAML with positions, imports) → :mod:`types` (definitions, values) →
:mod:`topology` (templates resolved against their types) → :mod:`planning` (which operations, in which order) →
:mod:`writing` (a gorch). All parts know :mod:`model`, :mod:`plan` and :mod:`faults`, and of the rest of the project
only ``domain``.
"""
