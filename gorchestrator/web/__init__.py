"""The web client: pages and their static files. They show what the public API tells, and know nothing else."""
