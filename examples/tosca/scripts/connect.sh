#!/bin/sh
# Tells the node NAME whom it asks.
set -e
. ./place.sh
echo "$UPSTREAM" >"$place/upstream"
echo "$NAME asks $UPSTREAM (port $UPSTREAM_PORT)"
