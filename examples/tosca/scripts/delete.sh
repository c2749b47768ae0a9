#!/bin/sh
# Removes the files of the node.
set -e
. ./place.sh
rm -rf "$place"
