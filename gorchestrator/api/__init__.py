"""The REST API of the orchestrator: blueprints, marshmallow schemas, problems. Knows schemas and the service."""
