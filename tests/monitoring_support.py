"""Reading ``/metrics`` of both services, and a graph whose nodes are counted."""

from prometheus_client.parser import text_string_to_metric_families

from support import PATIENCE

NODES = 1000


def graph(size=NODES):
    """Return nodes, half of them nil and half of them shell, in layers."""
    return [
        {
            "name": f"n{number}",
            "needs": [f"n{number - 100}"] if number >= 100 else [],
            **({"engine": "shell", "artifact": "/bin/true"} if number % 2 else {}),
        }
        for number in range(size)
    ]


def samples(text):
    return {
        (each.name, *(value for _, value in sorted(each.labels.items()))): each.value
        for family in text_string_to_metric_families(text)
        for each in family.samples
    }


def metrics(house, over=None):
    """Return the samples of the orchestrator by name and values of labels."""
    answer = house.api.call("GET", "/metrics", over=over)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.data.decode())


def of_executor(house):
    answer = house.executor.session.get(f"{house.executor.server.url}/metrics", timeout=PATIENCE)
    assert answer.status_code == 200
    return samples(answer.text)
