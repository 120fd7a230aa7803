#!/bin/sh
# Builds the addon's LZF, without Node, with a sanitizer that watches every byte it touches, and lets random data and broken
# streams at it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
${CXX:-c++} -std=c++17 -O1 -g -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover=undefined -o "$work/fuzz" \
  "$here"/lzf-fuzz.cc
# The sanitizer needs the addresses where it expects them.
aslr=''
if command -v setarch >/dev/null && setarch -R true 2>/dev/null; then aslr='setarch -R'; fi
$aslr "$work/fuzz"
