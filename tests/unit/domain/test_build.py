"""What a gorch may look like, and what is said of one that is faulty."""

import contextlib
import difflib

import pytest

from executor.drivers import pause
from gorchestrator.domain import digraph
from gorchestrator.domain.build import BUILT_IN_FIELDS, build
from gorchestrator.domain.digraph import find_cycle
from gorchestrator.domain.errors import InvalidGorch


def faults_of(document, **options):
    with pytest.raises(InvalidGorch) as caught:
        build(document, **options)
    return {fault.pointer: fault.detail for fault in caught.value.faults}


def nodes(*names, **extra):
    return [{"id": number, "name": name, **extra} for number, name in enumerate(names)]


def test_a_matrix_gives_the_predecessors_of_each_node():
    graph = build({"name": "g", "digraph": [0, 1, 7, 0, 0, -1, 0, 0, 0], "nodes": nodes("a", "b", "c")})
    assert [node.needs for node in graph.nodes] == [(), (0,), (0, 1)]
    assert graph.edges == 3


def test_needs_are_names_or_ids_in_any_order_and_may_repeat():
    graph = build({"nodes": [{"name": "a", "needs": ["c", 1, "b", "c"]}, {"name": "b"}, {"name": "c"}]})
    assert graph.nodes[0].needs == (1, 2)


def test_nodes_may_be_listed_in_any_order_of_ids():
    graph = build({"digraph": [0, 1, 0, 0], "nodes": [{"id": 1, "name": "late"}, {"id": 0, "name": "early"}]})
    assert [node.name for node in graph.nodes] == ["early", "late"]
    assert graph.nodes[1].needs == (0,)


def test_null_args_and_outputs_and_an_empty_engine_are_a_nil_node():
    (node,) = build({"nodes": [{"name": "a", "args": None, "output": None, "engine": "", "artifact": ""}]}).nodes
    assert (node.engine, node.args, node.output) == ("nil", (), ())


@pytest.mark.parametrize("cells", [[], [0], [0] * 3, [0] * 5])
def test_a_matrix_of_another_size_is_refused_with_the_numbers(cells):
    assert "2 nodes need 2 x 2 = 4 cells" in faults_of({"digraph": cells, "nodes": nodes("a", "b")})["/digraph"]


@pytest.mark.parametrize("cell", [1.0, "1", None, True, [], 2**63, -(2**63) - 1])
def test_a_cell_that_is_no_integer_of_64_bits_is_named(cell):
    assert list(faults_of({"digraph": [0, cell, 0, 0], "nodes": nodes("a", "b")})) == ["/digraph/1"]


def test_a_matrix_of_faulty_cells_is_not_listed_to_its_end():
    assert len(faults_of({"digraph": ["x"] * 90_000, "nodes": nodes(*map(str, range(300)))})) <= 2000


def test_a_cycle_is_named_in_order():
    document = {"nodes": [{"name": "a", "needs": ["c"]}, {"name": "b", "needs": ["a"]}, {"name": "c", "needs": ["b"]}]}
    text = faults_of(document)["/nodes"]
    assert text.removeprefix("the nodes wait for each other: ") in {
        "a -> b -> c -> a",
        "b -> c -> a -> b",
        "c -> a -> b -> c",
    }


def test_a_cycle_is_found_beside_and_before_sound_nodes():
    document = {
        "digraph": [0, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0],
        "nodes": nodes("root", "x", "y", "behind"),
    }
    assert "x -> y -> x" in faults_of(document)["/digraph"] or "y -> x -> y" in faults_of(document)["/digraph"]


def test_a_long_cycle_is_cut_in_the_middle():
    ring = [{"name": f"n{number}", "needs": [(number - 1) % 500]} for number in range(500)]
    assert "480 more" in faults_of({"nodes": ring})["/nodes"]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"digraph": [1], "nodes": nodes("a")}, "/digraph/0"),
        ({"nodes": [{"name": "a", "needs": ["a"]}]}, "/nodes/0/needs/0"),
        ({"nodes": [{"name": "a", "needs": [0]}]}, "/nodes/0/needs/0"),
    ],
)
def test_a_self_edge_is_refused(document, pointer):
    assert "to itself" in faults_of(document)[pointer]


@pytest.mark.parametrize("need", ["nobody", 5, -1, 1.5, None, True, ["a"]])
def test_a_need_that_is_no_node_is_refused(need):
    assert "/nodes/0/needs/0" in faults_of({"nodes": [{"name": "a", "needs": [need]}, {"name": "b"}]})


def test_a_misspelt_need_gets_a_suggestion():
    document = {"nodes": [{"name": "database"}, {"name": "web", "needs": ["databse"]}]}
    assert "is 'database' meant?" in faults_of(document)["/nodes/1/needs/0"]


def test_ids_are_the_rows_of_the_matrix():
    found = faults_of(
        {"digraph": [0] * 16, "nodes": [{"id": i, "name": n} for i, n in zip([0, 0, 9, -1], "abcd", strict=True)]}
    )
    assert set(found) == {"/nodes/1/id", "/nodes/2/id", "/nodes/3/id"}


def test_a_missing_id_is_refused_beside_a_matrix_but_not_beside_needs():
    assert "/nodes/1/id" in faults_of({"digraph": [0] * 4, "nodes": [{"id": 0, "name": "a"}, {"name": "b"}]})
    assert "/nodes/1/id" in faults_of({"nodes": [{"id": 0, "name": "a"}, {"name": "b"}]})
    assert len(build({"nodes": [{"name": "a"}, {"name": "b"}]}).nodes) == 2


def test_a_name_is_used_once():
    assert "'a'" in faults_of({"nodes": nodes("a", "b", "a")})["/nodes/2/name"]


def test_needs_beside_a_matrix_are_refused():
    assert "/nodes/0/needs" in faults_of({"digraph": [0], "nodes": nodes("a", needs=[])})


def test_an_unknown_engine_is_refused_once_the_engines_are_known():
    document = {"nodes": nodes("a", engine="shel", artifact="x")}
    assert build(document).nodes[0].engine == "shel"
    assert "nil, shell, sleep" in faults_of(document, engines={"shell": frozenset()})["/nodes/0/engine"]


def test_an_artifact_without_an_engine_is_refused():
    assert "/nodes/0/engine" in faults_of({"nodes": nodes("a", artifact="run.sh")})


def test_all_faults_come_in_one_answer():
    document = {
        "nodes": [
            {"name": "a", "needs": ["nobody", "a"]},
            {"name": "a", "engine": "what"},
            {"name": "c", "args": ["get_attribute a:x"]},
        ]
    }
    assert set(faults_of(document, engines={})) == {
        "/nodes/0/needs/0",
        "/nodes/0/needs/1",
        "/nodes/1/name",
        "/nodes/1/engine",
        "/nodes/2/args/0",
    }


def test_large_work_is_cut_into_slices():
    pauses = []
    size = 1000
    build({"digraph": [0] * size**2, "nodes": nodes(*map(str, range(size)))}, pause=lambda: pauses.append(1))
    assert len(pauses) > 10


def pauses_of(document):
    """Return after how many pauses a document is built or refused."""
    pauses = []
    with contextlib.suppress(InvalidGorch):
        build(document, pause=lambda: pauses.append(1))
    return len(pauses)


def test_edges_are_cut_into_slices_however_few_the_nodes_are():
    size = 500
    half_full = [int(row < column) for row in range(size) for column in range(size)]
    # 124,750 edges: they are read from the matrix, put in order and walked.
    assert pauses_of({"digraph": half_full, "nodes": nodes(*map(str, range(size)))}) > 20


def test_the_search_for_a_cycle_is_cut_into_slices():
    pauses = []
    # A ring of 400 nodes, each of which waits for 100 sound ones too.
    ring = [() for _ in range(100)] + [(*range(100), 100 + (node - 1) % 400) for node in range(400)]
    assert len(find_cycle(ring, range(100), lambda: pauses.append(1))) == 400
    assert len(pauses) == 2


def test_a_long_list_of_needs_is_cut_into_slices():
    assert pauses_of({"nodes": [{"name": "a"}, {"name": "b", "needs": [0] * 100_000}]}) >= 20


def test_unknown_needs_without_end_are_neither_listed_nor_compared_to_the_end(monkeypatch):
    compared = []

    def get_close_matches(need, names, n=3):
        compared.extend(names)
        return difflib.get_close_matches(need, names, n)

    monkeypatch.setattr(digraph, "get_close_matches", get_close_matches)
    listed = [{"name": f"node-{number}"} for number in range(1000)]
    listed[0]["needs"] = ["nobody", *(f"nobody-{number}" for number in range(20_000))]
    with pytest.raises(InvalidGorch) as caught:
        build({"nodes": listed})
    faults = caught.value.faults
    assert len(faults) == 501
    assert (faults[-1].pointer, faults[-1].detail) == ("/nodes", "19501 more needs are faulty and not listed")
    assert 20_000 < len(compared) < 40_000


def test_names_are_compared_in_slices():
    names = [{"name": f"node-{number}"} for number in range(1000)]
    unknown = {"name": "last", "needs": ["x" * 60]}
    assert pauses_of({"nodes": [*names, unknown]}) - pauses_of({"nodes": names}) >= 20


def test_the_nearest_of_all_names_is_suggested():
    names = [{"name": f"databas{number}"} for number in range(100)]
    document = {"nodes": [*names, {"name": "database"}, {"name": "web", "needs": ["databse"]}]}
    assert "is 'database' meant?" in faults_of(document)["/nodes/101/needs/0"]


def test_what_an_engine_makes_no_use_of_is_refused_once_that_is_known():
    node = {"name": "a", "engine": "shell", "args": ["x"], "env": {"A": "b"}, "options": {"cwd": "/", "a/b": 1}}
    known = {"shell": frozenset({"args", "options.cwd", "options.nice"})}
    assert faults_of({"nodes": [node]}, engines=known) == {
        "/nodes/0/env": "engine shell makes no use of it",
        "/nodes/0/options/a~1b": "engine shell has the options cwd, nice",
    }
    assert faults_of({"nodes": [node | {"env": {}}]}, engines={"shell": frozenset({"args"})}) == {
        "/nodes/0/options/cwd": "engine shell has no options",
        "/nodes/0/options/a~1b": "engine shell has no options",
    }


@pytest.mark.parametrize("target", ["", "an executor"])
def test_what_nil_and_sleep_make_no_use_of_is_refused_wherever_they_run(target):
    more = {"env": {"A": "b"}, "options": {"cwd": "/"}, "retry": {"limit": 1}, "on_lost": "ask", "target": target}
    nodes = [{"name": "a", "timeout": 1, **more}, {"name": "b", "engine": "sleep", **more}]
    assert faults_of({"nodes": nodes}, engines={"sleep": frozenset({"env"})}) == {
        "/nodes/0/env": "engine nil makes no use of it",
        "/nodes/0/timeout": "engine nil makes no use of it",
        "/nodes/0/options/cwd": "engine nil has no options",
        "/nodes/0/retry": "is for engines of executors; nil is not tried again",
        "/nodes/0/on_lost": "is for engines of executors; nil is not tried again",
        "/nodes/1/env": "engine sleep makes no use of it",
        "/nodes/1/options/cwd": "engine sleep has no options",
        "/nodes/1/retry": "is for engines of executors; sleep is not tried again",
        "/nodes/1/on_lost": "is for engines of executors; sleep is not tried again",
    }


def test_what_nil_and_sleep_take_is_the_same_on_executors():
    """Whoever submits a graph does not know yet whether their targets name one."""
    assert {"nil": pause.Nil.fields, "sleep": pause.Sleep.fields} == BUILT_IN_FIELDS
    fields = {"artifact": "./sleep.sh", "args": ["1"], "output": {"result": ""}}
    nodes = [{"name": "a", "engine": "nil", **fields}, {"name": "b", "engine": "sleep", "timeout": 1, **fields}]
    assert [node.timeout for node in build({"nodes": nodes}).nodes] == [None, 1]
