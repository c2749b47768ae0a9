"""Work on other hosts by ssh, which the engines ``ssh`` and ``toscassh`` share."""
