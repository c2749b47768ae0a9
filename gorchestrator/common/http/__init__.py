"""What both services need to serve HTTP: problems, bodies, the check of Host, the access log and the API docs."""
