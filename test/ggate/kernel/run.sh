#!/bin/sh
# Builds the GEOM gate driver with the fake kernel, without Node, and runs its tests.
#
#   run.sh plain|thread|address [NAME]     which sanitizer; only tests whose name contains NAME
set -eu
here=$(cd "$(dirname "$0")" && pwd)
driver=$here/../../../native/src/ggate
kind=${1:-plain}
case $kind in
plain) flags='' ;;
thread) flags='-fsanitize=thread' ;;
address) flags='-fsanitize=address,undefined -fno-sanitize-recover=undefined' ;;
*)
  echo "usage: run.sh plain|thread|address [NAME]" >&2
  exit 64
  ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2086 # several flags
${CXX:-c++} -std=c++17 -O1 -g -Wall -Wextra -Wno-unused-parameter -pthread $flags -I"$driver" -o "$work/test" \
  "$here"/main.cc "$here"/fake-kernel.cc "$here"/kernel-test.cc "$here"/driver-test.cc "$driver"/driver.cc \
  "$driver"/provider.cc "$driver"/disk.cc
# Sanitizers need the addresses where they expect them.
aslr=''
if [ "$kind" != plain ] && command -v setarch >/dev/null && setarch -R true 2>/dev/null; then aslr='setarch -R'; fi
shift
# Owners that play dead leave their threads behind.
export TSAN_OPTIONS=halt_on_error=1:report_thread_leaks=0 ASAN_OPTIONS=detect_leaks=1
$aslr "$work/test" "$@"
