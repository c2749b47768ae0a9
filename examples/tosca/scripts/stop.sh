#!/bin/sh
# Stops the program, if it runs, and waits until it has ended.
set -e
. ./place.sh
[ -s "$place/pid" ] || exit 0
pid=$(cat "$place/pid")
kill "$pid" 2>/dev/null || exit 0
while kill -0 "$pid" 2>/dev/null; do
    grep -qs '^State:.Z' "/proc/$pid/status" && break # dead, but nobody has asked how it ended
    sleep 0.1
done
echo "$NAME has ended"
