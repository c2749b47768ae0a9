"""The page that submits, against the real services: what is written is checked, drawn and sent."""

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from browser_support import serious_faults
from submit_page_support import chain, drop, faults, marked, opened, paste, selected, submitted, summary
from support import wait_until

WORKERS = 2  # the page shows the same, whichever of them answers

HOSTILE = ["<img src=x onerror=document.title='broken'>", "\u05d0\u05d1\u05d2 (gnp.exe) \u05d3\u05d4", "x" * 255]
VALID = re.compile("^Valid: ")
FAULTY = """{
  "name": "faulty",
  "nodes": [
    {"name": "a", "need": []},
    {"name": "b",
     "needs": ["c"]},
    {
      "name": "b"
    },
    {"engine": "nil"}
  ]
}"""


@pytest.fixture
def page(page: Page) -> Page:
    """Return a page whose console may say what its service refuses."""
    page.faults.expected = ["422"]  # type: ignore[attr-defined]
    return page


def test_an_example_is_filled_in_checked_drawn_and_runs_to_its_end(page, service):
    opened(page, service)
    page.get_by_role("button", name="Examples").click()
    dialog = page.get_by_role("dialog", name="Begin with an example")
    expect(dialog.get_by_role("button", name="ssh", exact=False).first).to_be_visible()
    expect(dialog).to_contain_text("needs a host web1")
    dialog.get_by_role("button", name="demo 4 nodes: shell, sleep").click()
    words = "Valid: 4 nodes, 4 edges, 3 layers, longest path 3. Executors that take it: executor."
    expect(summary(page)).to_have_text(words)
    drawing = page.get_by_role("region", name="The graph")
    expect(drawing.locator("text")).to_have_text(["start", "left", "right", "join"])
    expect(drawing.locator("polyline")).to_have_count(4)
    expect(drawing.locator("polyline.longest")).to_have_count(2)
    page.keyboard.press("Control+Enter")
    assert service.remote.wait(submitted(page))["state"] == 3


def test_a_click_on_a_drawn_node_leads_to_its_text(page, service):
    editor = opened(page, service, chain(3))
    page.locator(".node").filter(has_text="step 1").click()
    assert selected(editor) == '"name": "step 1"'


@pytest.mark.parametrize(
    ("text", "line", "column", "detail"),
    [
        ('{\n  "name": "x"\n  "nodes": []\n}', 3, 3, 'a comma or } is missing before "'),
        ('{"nodes": [\n  {"name": "a"},\n]}', 2, 16, "nothing follows this comma"),
        ('{"nodes": [\n {"name": "a}\n]}', 2, 11, "this text is not closed"),
        ('{"nodes": [{"name": "a"}]', 1, 26, "the { of line 1 is not closed"),
        ('{"name": "a",\n "name": "b"}', 2, 2, 'the key "name" occurs twice'),
        ('{"nodes":\n[nodes]}', 2, 2, "a value is missing before nodes"),
        ("{'nodes': []}", 1, 2, "a key in double quotes is missing"),
        ('{"deadline": 01}', 1, 14, "01 is not a number of JSON"),
    ],
)
def test_what_is_no_json_is_told_with_line_and_column(page, service, text, line, column, detail):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/validate" in request.url else None)
    editor = opened(page, service, text)
    expect(summary(page)).to_have_text("1 fault")
    expect(faults(page)).to_have_count(1)
    expect(faults(page)).to_contain_text(detail)
    wait_until(lambda: marked(page) == [str(line)])
    faults(page).get_by_role("button", name=f"Line {line}, column {column}:").click()
    before = text.split("\n")[: line - 1]
    assert editor.evaluate("area => area.selectionStart") == sum(len(each) + 1 for each in before) + column - 1
    assert asked == []


def test_every_fault_stands_beside_its_line_and_a_click_leads_there(page, service):
    editor = opened(page, service, FAULTY)
    expect(summary(page)).to_have_text("4 faults")
    expect(editor).to_have_attribute("aria-invalid", "true")
    expected = [
        ("4:19", "is not a known key; is 'needs' meant?", '"need"'),
        ("6:16", "there is no node named 'c'", '"c"'),
        ("8:7", "is already named", '"name": "b"'),
        ("10:5", "Missing data", "{"),
    ]
    for item, (place, detail, text) in zip(faults(page).all(), expected, strict=True):
        expect(item).to_contain_text(place)
        expect(item).to_contain_text(detail)
        item.get_by_role("button").click()
        expect(editor).to_be_focused()
        assert selected(editor) == text
    wait_until(lambda: marked(page) == ["4", "6", "8", "10"])
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_contain_text("Not accepted: The gorch has 4 faults")
    expect(faults(page).first.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    assert selected(editor) == '"need"'
    editor.fill('{"nodes": [{"name": "a"}]}')
    expect(summary(page)).to_have_text(VALID)
    expect(faults(page)).to_have_count(0)
    expect(page.get_by_role("alert")).to_be_hidden()
    wait_until(lambda: marked(page) == [])


def test_a_cycle_is_named_and_the_last_drawing_stays(page, service):
    editor = opened(page, service, chain(2))
    expect(page.locator(".node")).to_have_count(2)
    cycle = {"nodes": [{"name": "a", "needs": ["b"]}, {"name": "b", "needs": ["a"]}]}
    editor.fill(json.dumps(cycle, indent=1))
    expect(faults(page)).to_contain_text("the nodes wait for each other")
    faults(page).get_by_role("button", name="Line 2, column 2").click()
    assert selected(editor) == '"nodes"'
    expect(page.get_by_text("As it was before the faults.")).to_be_visible()
    expect(page.locator(".node")).to_have_count(2)


def test_a_fault_far_below_is_brought_into_sight(page, service):
    gorch = chain(400)
    gorch["nodes"][390]["neds"] = ["x" * 100]
    editor = opened(page, service)
    paste(page, editor, json.dumps(gorch, indent=1))
    faults(page).get_by_role("button").click()
    assert selected(editor) == '"neds"'
    (line,) = re.findall(r"(\d+):", faults(page).inner_text())
    wait_until(lambda: marked(page) == [line])
    top, seen = editor.evaluate("area => [area.scrollTop, area.clientHeight]")
    assert top < int(line) * 20 < top + seen


def test_files_are_picked_and_dropped_and_the_text_before_can_be_brought_back(page, service, tmp_path):
    editor = opened(page, service)
    path = tmp_path / "picked.json"
    path.write_text('{"nodes": [{"name": "picked"}]}')
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open a file").click()
    chooser.value.set_files(path)
    expect(editor).to_have_value(path.read_text())
    expect(page.get_by_role("button", name="Bring the text before back")).to_be_hidden()
    drop(page, ("dropped.json", b'\xef\xbb\xbf{"nodes": [{"name": "dropped"}]}'))
    expect(editor).to_have_value('{"nodes": [{"name": "dropped"}]}')
    expect(page.get_by_role("log")).to_contain_text("dropped.json is opened.")
    expect(page.locator(".node text")).to_have_text("dropped")
    page.get_by_role("button", name="Bring the text before back").click()
    expect(editor).to_have_value(path.read_text())
    drop(page, ("binary.json", b"\xff\xfe\0"))
    expect(page.get_by_role("log")).to_contain_text("binary.json is no text in UTF-8.")
    drop(page, ("one", b"1"), ("two", b"2"))
    expect(page.get_by_role("log")).to_contain_text("One file at a time")
    drop(page, ("large.json", b" " * 1025), times=16 * 2**10)
    expect(page.get_by_role("log")).to_contain_text("large.json has 16.0 MiB; this service takes at most 16.0 MiB")
    expect(editor).to_have_value(path.read_text())


def test_formatting_changes_nothing_but_space(page, service):
    first = '{"id":0,"name":"\\u0061","timeout":1.50,"engine":"shell","artifact":"true"}'
    text = f'{{"digraph":[0,1,\n0,0],"nodes":[{first},{{"id":1,"name":"b"}}]}}'
    editor = opened(page, service, text)
    page.get_by_role("button", name="Format").click()
    expect(editor).to_have_value(
        "{\n"
        '  "digraph": [\n'
        "    0, 1,\n"
        "    0, 0\n"
        "  ],\n"
        '  "nodes": [\n'
        '    {"id": 0, "name": "\\u0061", "timeout": 1.50, "engine": "shell", "artifact": "true"},\n'
        '    {"id": 1, "name": "b"}\n'
        "  ]\n"
        "}\n"
    )
    expect(summary(page)).to_have_text(VALID)
    editor.fill("{")
    page.get_by_role("button", name="Format").click()
    expect(page.get_by_role("log")).to_contain_text("cannot be formatted")
    expect(editor).to_have_value("{")


def test_the_text_survives_a_reload(page, service):
    editor = opened(page, service, chain(2))
    expect(summary(page)).to_have_text(VALID)
    text = editor.input_value()
    wait_until(lambda: page.evaluate("sessionStorage.length") > 0)
    page.reload()
    expect(editor).to_have_value(text)
    expect(summary(page)).to_have_text(VALID)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(page, service, name):
    gorch = {"name": name, "nodes": [{"name": name, "engine": "<b>none"}, {"name": f"{name}"}], "<i>key": 1}
    editor = opened(page, service, gorch)
    expect(summary(page)).to_have_text("3 faults")
    expect(faults(page).filter(has_text="<b>none")).to_have_count(1)
    expect(faults(page).locator("bdi").filter(has_text="/<i>key")).to_have_count(1)
    editor.fill(json.dumps({"name": name, "nodes": [{"name": name}]}))
    expect(page.locator(".node title")).to_have_text(f"{name}\nnil")
    expect(page).to_have_title("Submit · gorchestrator")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    drop(page, (f"{name[:200]}.json", b"{}"))
    expect(page.get_by_role("log")).to_contain_text(f"{name[:200]}.json is opened.")
    assert page.locator("main img, main i, main b, .notices img").count() == 0


def test_a_large_gorch_leaves_the_page_quick(page, service):
    editor = opened(page, service)
    paste(page, editor, json.dumps(chain(2000), indent=1))
    expect(summary(page)).to_contain_text("Valid: 2,000 nodes, 1,999 edges, 2,000 layers, longest path 2,000.")
    expect(page.get_by_text("Not drawn here: it has 2,000 nodes, and this page draws up to 500.")).to_be_visible()
    assert page.locator(".row").count() < 100
    editor.focus()
    page.keyboard.press("Control+End")
    page.keyboard.type(" " * 20 + "x", delay=20)
    expect(faults(page)).to_contain_text("the document has ended, and x follows")
    expect(page.get_by_text("As it was before the faults.")).to_be_hidden()  # nothing is drawn
    assert len(marked(page)) == 1
    page.keyboard.press("Backspace")
    expect(summary(page)).to_have_text(VALID)


def test_what_cannot_be_drawn_is_checked_all_the_same(page, service):
    problem = {"type": "urn:gorchestrator:problem:no-layout", "status": 503, "detail": "It takes too long."}
    page.route("**/validate?layout=true", lambda route: route.fulfill(status=503, body=json.dumps(problem)))
    page.faults.expected = ["503"]
    opened(page, service, chain(3))
    expect(summary(page)).to_contain_text("Valid: 3 nodes")
    expect(page.get_by_text("The service cannot draw this graph now.")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="does not answer")).to_be_hidden()


def test_only_the_answer_to_the_last_text_counts(page, service):
    held: list[Route] = []
    page.route(
        "**/v1/validate*", lambda route: held.append(route) if "slow" in route.request.post_data else route.continue_()
    )
    editor = opened(page, service, {"nodes": [{"name": "slow"}, {"name": "slow"}]})
    expect(summary(page)).to_have_text("Checking …")
    editor.fill('{"nodes": [{"name": "quick"}]}')
    expect(page.locator(".node text")).to_have_text("quick")
    for route in held:
        route.abort()
    expect(summary(page)).to_have_text(VALID)
    expect(page.locator("#banner")).to_be_hidden()


def test_a_lost_service_is_waited_for_while_one_types(page, service):
    page.faults.expected = ["ERR_CONNECTION_REFUSED", "ERR_CONNECTION_RESET", "ERR_EMPTY", "422"]
    editor = opened(page, service, chain(2))
    expect(summary(page)).to_have_text(VALID)
    service.orchestrator.kill()
    try:
        editor.fill('{"nodes": [{"name": "meanwhile"}]}')
        expect(summary(page)).to_contain_text("does not answer; this text is not checked yet")
        expect(page.locator("#banner")).to_be_visible()
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_role("alert")).to_contain_text("nobody knows yet whether it took the gorch")
        editor.fill("{")
        expect(summary(page)).to_have_text("1 fault")
        editor.fill('{"nodes": [{"name": "again"}]}')
    finally:
        service.orchestrator.start()
    expect(summary(page)).to_have_text(VALID, timeout=60_000)
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator(".node text")).to_have_text("again")


def test_a_gorch_whose_answer_was_lost_runs_once_and_a_changed_one_anew(page, service):
    page.faults.expected = ["ERR_FAILED"]
    lost = []

    def lose(route: Route) -> None:
        answer = route.fetch()
        if lost:
            route.fulfill(response=answer)
            return
        lost.append(answer.json()["id"])
        route.abort()

    page.route("**/v1/tasks", lose)
    editor = opened(page, service, chain(1, "lost once"))
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_contain_text("unless you change the text, it does not run twice")
    page.reload()
    expect(summary(page)).to_have_text(VALID)
    page.get_by_role("button", name="Submit").click()
    assert submitted(page) == lost[0]
    page.goto(f"{service.url}/submit")
    expect(summary(page)).to_have_text(VALID)
    page.get_by_role("button", name="Submit").click()
    assert submitted(page) != lost.pop()
    page.goto(f"{service.url}/submit")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_be_visible()
    editor.press("Control+End")
    editor.press("Space")
    page.get_by_role("button", name="Submit").click()
    assert submitted(page) != lost[0]
    assert [task["name"] for task in service.remote.tasks()["tasks"]].count("lost once") == 4


def test_refusals_are_told_in_words(page, service):
    page.faults.expected = ["429", "503", "409"]
    urn = "urn:gorchestrator:problem:"
    answers = [
        (429, {"Retry-After": "5"}, {"type": f"{urn}too-many-runs", "detail": "<b>3</b> graphs have not ended yet."}),
        (409, {}, {"type": f"{urn}request-in-progress", "detail": "It is being stored."}),
    ]

    def refuse(route: Route) -> None:
        if not answers:
            route.continue_()
            return
        status, headers, problem = answers.pop(0)
        route.fulfill(status=status, headers=headers, body=json.dumps(problem))

    page.route("**/v1/tasks", refuse)
    opened(page, service, chain(1))
    page.get_by_role("button", name="Submit").click()
    words = "Not accepted: <b>3</b> graphs have not ended yet. Try again in 5 s."
    expect(page.get_by_role("alert")).to_have_text(words)
    page.get_by_role("button", name="Submit").click()
    submitted(page)


def test_what_is_too_large_is_not_even_sent(page, service):
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    opened(page, service)
    page.evaluate(
        """const area = document.querySelector("#text");
        area.value = " ".repeat(16 * 2 ** 20) + "{}";
        area.dispatchEvent(new Event("input"));"""
    )
    expect(faults(page)).to_contain_text("has 16777218 bytes; this service takes at most 16777216")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_contain_text("Not accepted: the text has 16777218 bytes")
    expect(page.get_by_text("too large to survive a reload")).to_be_visible()
    assert asked == []


def test_an_engine_that_no_executor_has_is_a_fault_at_its_place(page, service):
    editor = opened(page, service, {"nodes": [{"name": "a", "engine": "warp", "artifact": "x"}]})
    expect(faults(page)).to_contain_text("'warp' is unknown")
    faults(page).get_by_role("button").click()
    assert selected(editor) == '"engine": "warp"'


def test_it_can_be_used_by_everybody(service, shots):
    for way, page in shots.views(f"{service.url}/submit"):
        examples = page.request.get(f"{service.url}/v1/examples").json()["examples"]
        (text,) = [example["gorch"] for example in examples if example["name"] == "fan-out-fan-in"]
        page.faults.expected = ["422"]
        assert serious_faults(page) == [], f"{way}, empty"
        editor = page.get_by_role("textbox", name="Gorch as JSON")
        editor.fill(FAULTY)
        expect(summary(page)).to_have_text("4 faults")
        assert serious_faults(page) == [], f"{way}, faulty"
        shots.take(page, f"-{way}-faulty")
        page.get_by_role("button", name="Examples").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert serious_faults(page) == [], f"{way}, examples"
        shots.take(page, f"-{way}-examples")
        page.keyboard.press("Escape")
        editor.fill(text)
        expect(page.locator(".node")).to_have_count(6)
        assert serious_faults(page) == [], f"{way}, valid"
