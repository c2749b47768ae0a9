"""One module a version. What was released is never changed: a table as it was then is spelled out here."""
