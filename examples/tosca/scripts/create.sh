#!/bin/sh
# Puts the programs that came along where they stay.
set -e
. ./place.sh
mkdir -p "$place"
cp ./*.py "$place"
