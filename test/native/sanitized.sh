#!/bin/sh
# Builds and runs one of the programs beside it, which test parts of the addon without Node, under sanitizers: sanitized.sh lzf-fuzz address,undefined
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
${CXX:-c++} -std=c++17 -O1 -g -Wall -Wextra -pthread "-fsanitize=$2" -fno-sanitize-recover=all -o "$work/program" \
  "$here/$1.cc"
# The sanitizers need the addresses where they expect them.
aslr=''
if command -v setarch >/dev/null && setarch -R true 2>/dev/null; then aslr='setarch -R'; fi
$aslr "$work/program"
