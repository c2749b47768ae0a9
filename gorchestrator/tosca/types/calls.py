"""Which values are calls of a function: these are worked out, and checked, by the topology in which they stand."""

from gorchestrator.tosca.model import Value

_OF_LISTS = ("concat", "join", "token")
FUNCTIONS = frozenset(
    (
        *_OF_LISTS,
        "get_artifact",
        "get_attribute",
        "get_input",
        "get_nodes_of_type",
        "get_operation_output",
        "get_property",
    )
)


def call_in(value: Value) -> tuple[str, Value] | None:
    """Return name and arguments if a value is a call: a map with one key that names a function.

    ``token``, ``join`` and ``concat`` are calls with a list only: a credential, for example, has a field "token".
    """
    if not isinstance(value, dict) or len(value) != 1:
        return None
    name, arguments = next(iter(value.items()))
    if name not in FUNCTIONS or (name in _OF_LISTS and not isinstance(arguments, list)):
        return None
    return name, arguments
