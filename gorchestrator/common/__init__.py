"""The shared leaf: what the orchestrator and the executor both need, and nothing that knows either of them."""
