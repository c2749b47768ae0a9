"""``get_attribute`` in arguments: who is meant, and what stands there when the node is dispatched."""

import pytest

from gorchestrator.common.reasons import ReasonCode
from gorchestrator.domain import references
from gorchestrator.domain.build import build
from gorchestrator.domain.errors import InvalidGorch
from gorchestrator.domain.references import ARGUMENTS_LIMIT, ArgumentsTooLong, MissingOutput, _compile, fill_in


def graph_with(args, names=("db", "web.1", "web.2", "user"), needs=(0, 1, 2)):
    listed = [{"name": name} for name in names]
    listed[-1] |= {"args": args, "needs": list(needs)}
    return build({"nodes": listed})


def filled(args, outputs, **options):
    graph = graph_with(args, **options)
    return fill_in(graph.nodes[-1], graph.nodes, lambda node: outputs.get(node, {}))


def test_a_reference_with_and_without_a_name():
    assert filled(["IP=get_attribute db:ip", "get_attribute db:ip"], {0: {"ip": "10.0.0.1"}}) == (
        "IP=10.0.0.1",
        "10.0.0.1",
    )


@pytest.mark.parametrize("arg", ["plain", "", "say get_attribute db:ip", "a b=get_attribute db:ip", "get_attribute"])
def test_other_arguments_stay_as_they_are(arg):
    assert filled([arg], {}) == (arg,)


def test_an_exact_name_wins_over_a_pattern():
    # As a pattern, `web.2` would match `webx2`, which comes first.
    args = ["get_attribute web.2:ip"]
    names = ("webx2", "web.2", "user")
    assert filled(args, {0: {"ip": "wrong"}, 1: {"ip": "right"}}, names=names, needs=(0, 1)) == ("right",)


def test_a_pattern_takes_the_first_matching_ancestor_by_id():
    assert filled(["get_attribute we.*:ip"], {1: {"ip": "first"}, 2: {"ip": "second"}}) == ("first",)


def test_a_pattern_passes_over_nodes_that_are_no_ancestors():
    assert filled(["get_attribute web:ip"], {2: {"ip": "second"}}, needs=(2,)) == ("second",)


def test_an_ancestor_may_be_far_away():
    document = {"nodes": [{"name": "a"}, {"name": "b", "needs": ["a"]}, {"name": "c", "needs": ["b"]}]}
    document["nodes"][2]["args"] = ["get_attribute a:x"]
    assert build(document).nodes[2].references[0].node == 0


@pytest.mark.parametrize(
    ("arg", "says"),
    [
        ("get_attribute nobody:ip", "no ancestor of this node is named 'nobody'"),
        ("get_attribute user:ip", "is not an ancestor"),
        ("get_attribute web.1:ip", "is not an ancestor"),
        ("get_attribute [:ip", "no regular expression"),
        ("get_attribute db:", "takes NODE:OUTPUT"),
        ("get_attribute db", "takes NODE:OUTPUT"),
        ("get_attribute :ip", "takes NODE:OUTPUT"),
    ],
)
def test_a_reference_that_cannot_work_is_refused_at_once(arg, says):
    with pytest.raises(InvalidGorch) as caught:
        graph_with([arg], needs=(0,))
    (fault,) = caught.value.faults
    assert fault.pointer == "/nodes/3/args/0"
    assert says in fault.detail


def test_too_many_patterns_are_refused():
    with pytest.raises(InvalidGorch) as caught:
        graph_with([f"get_attribute d[b{number}]:ip" for number in range(101)])
    (fault,) = caught.value.faults
    assert fault.pointer == "/nodes/3/args/100"
    assert "100 different patterns" in fault.detail


def test_a_hostile_pattern_does_not_freeze():
    # A backtracking engine would take 2**60 steps.
    with pytest.raises(InvalidGorch):
        graph_with(["get_attribute (a+)+b:x"], names=("a" * 60, "user"), needs=(0,))


def test_an_output_that_was_not_produced_is_named():
    with pytest.raises(MissingOutput, match=r"'ip' of node 'db', which did not produce it .its outputs: port"):
        filled(["get_attribute db:ip"], {0: {"port": "5432"}})


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("(?:a?){999}" * 18 + "zz", "too large a regular expression"),
        ("x" * 201, "200 characters"),
    ],
)
def test_a_pattern_that_makes_a_large_program_is_refused(pattern, says):
    with pytest.raises(InvalidGorch) as caught:
        graph_with([f"get_attribute {pattern}:x"])
    (fault,) = caught.value.faults
    assert says in fault.detail


def hard(size, patterns):
    """Return a gorch of long names, and patterns that have to be tried on all of them at the highest cost."""
    listed = [{"name": f"{number:05}" + "a" * 250} for number in range(size)]
    args = [f"get_attribute (?:a?){{900}}(?:a?){{{number + 1}}}zz:x" for number in range(patterns)]
    return {"nodes": [*listed, {"name": "user", "needs": [0], "args": args}]}


def test_searching_pauses_by_the_work_it_is():
    pauses, easy = [], []
    with pytest.raises(InvalidGorch):
        build(hard(20, 1), pause=lambda: pauses.append(1))
    document = hard(20, 1)
    document["nodes"][-1]["args"] = ["get_attribute zz:x"]
    with pytest.raises(InvalidGorch):
        build(document, pause=lambda: easy.append(1))
    assert len(pauses) - len(easy) >= 10


def test_many_references_pause():
    pauses, fewer = [], []
    document = {"nodes": [{"name": "a"}, {"name": "b", "needs": ["a"], "args": ["get_attribute a:x"] * 10_000}]}
    build(document, pause=lambda: pauses.append(1))
    document["nodes"][1]["args"] = []
    build(document, pause=lambda: fewer.append(1))
    assert len(pauses) - len(fewer) >= 20


def test_patterns_that_take_too_long_together_are_refused(monkeypatch):
    monkeypatch.setattr("gorchestrator.domain.references._WORK_LIMIT", 20_000_000)
    with pytest.raises(InvalidGorch) as caught:
        build(hard(20, 3))
    # One pattern has work of some 9,000,000 here.
    assert ["too long" in fault.detail for fault in caught.value.faults] == [False, False, True]


def test_a_faulty_pattern_is_compiled_once_and_counts(monkeypatch):
    compiled = []
    monkeypatch.setattr(references, "_compile", lambda pattern: compiled.append(pattern) or _compile(pattern))
    with pytest.raises(InvalidGorch) as caught:
        graph_with(["get_attribute [:x"] * 5 + [f"get_attribute [{number}:x" for number in range(200)])
    assert len(compiled) == 100
    assert "no regular expression" in caught.value.faults[4].detail
    assert "100 different patterns" in caught.value.faults[-1].detail


def test_faulty_references_without_end_are_not_all_listed():
    listed = [{"name": str(number), "args": ["get_attribute x"] * 900} for number in range(10)]
    with pytest.raises(InvalidGorch) as caught:
        build({"nodes": listed})
    assert len(caught.value.faults) == 1800


def test_arguments_may_not_grow_without_limit():
    value = "ü" * 10_000  # 20,000 bytes
    fitting = ARGUMENTS_LIMIT // 20_000
    args = ["get_attribute db:ip"] * fitting
    assert len(filled(args, {0: {"ip": value}})) == fitting
    with pytest.raises(ArgumentsTooLong, match="more than 2097152 bytes in all") as caught:
        filled([*args, "K=get_attribute db:ip"], {0: {"ip": value}})
    assert caught.value.code is ReasonCode.ARGUMENT


def test_a_reason_stays_short_however_many_outputs_there_are():
    produced = {f"{number:04}" + "x" * 1000: "" for number in range(1000)}
    with pytest.raises(MissingOutput) as caught:
        filled(["get_attribute db:" + "y" * 10_000], {0: produced})
    assert len(str(caught.value)) < 1000
    assert "and 995 more" in str(caught.value)
    assert caught.value.code is ReasonCode.REFERENCE
