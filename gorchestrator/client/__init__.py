"""The requests client of the executors, and the choice of an executor for a node."""
