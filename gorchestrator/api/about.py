"""The route by which the service tells about itself. Its docstring is the route's docs."""

from typing import Any

from gorchestrator import __version__
from gorchestrator.api import answers
from gorchestrator.api.context import blueprint, service


@blueprint.get("/ping")
def ping() -> Any:
    """Ask the service about itself.

    ---
    get:
      tags: [service]
      summary: The service's version, and its executors as they answer now
      responses:
        200:
          description: the service answers
          content: {application/json: {schema: {$ref: "#/components/schemas/Ping"}}}
        401: {$ref: "#/components/responses/Problem"}
        403: {$ref: "#/components/responses/Problem"}
        421: {$ref: "#/components/responses/Problem"}
    """
    executors = [answers.executor(view) for view in service().executors.ping()]
    own = [answers.certificate(each) for each in service().executors.own_certificates()]
    return {"status": "success", "version": __version__, "executors": executors, "certificates": own}
