"""The executor: the service that runs attempts of nodes under supervision. Imports nothing; see ``executor.app``."""
