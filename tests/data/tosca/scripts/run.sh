#!/bin/sh
echo created
port=80
