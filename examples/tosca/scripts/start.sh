#!/bin/sh
# Starts PROGRAM and waits until it answers. What port and answer are in the end, are outputs.
set -e
. ./place.sh
cd "$place"
rm -f port
nohup python3 "$PROGRAM" "$ADDRESS" >log 2>&1 </dev/null &
echo $! >pid
until [ -s port ]; do
    kill -0 "$(cat pid)" || { cat log; exit 1; }
    sleep 0.1
done
port=$(cat port)
answer=$(python3 tier.py "http://$ADDRESS:$port/")
echo "$NAME answers on port $port: $answer"
