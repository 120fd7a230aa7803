#!/bin/sh
# Tries HAST on the FreeBSD machine it runs on: two nodes on loopback, each with a memory disk, and the kernel's own
# device /dev/hast/... between them and UFS. One line for each step, `pass` or `FAIL`; the last line counts them.
#
#   selftest.sh [-k] [-s MEGABYTES]
#
#   -k  keep the directory with the logs and all files (it is also kept after a failure)
#   -s  size of the memory disks, default 256
#
# Run it as root from the project, after `npm ci`. It needs Node, a C++ compiler and 2 x MEGABYTES of memory. Nothing of
# the machine's own HAST is touched: the nodes have a directory, ports and provider names of their own.
#
# Exit status: 0 all passed, 1 something failed, 64 usage, 69 it cannot run here.
set -u

keep=no
megabytes=256
while getopts ks: option; do
	case $option in
	k) keep=yes ;;
	s) megabytes=$OPTARG ;;
	*)
		echo "usage: selftest.sh [-k] [-s megabytes]" >&2
		exit 64
		;;
	esac
done
case $megabytes in
*[!0-9]* | '')
	echo "selftest.sh: -s $megabytes: expected a number of megabytes" >&2
	exit 64
	;;
esac

refuse() {
	echo "selftest.sh: $1" >&2
	exit 69
}

[ "$(uname -s)" = FreeBSD ] || refuse "this is $(uname -s): it tests what only FreeBSD has"
[ "$(id -u)" -eq 0 ] || refuse "run it as root: it makes devices and mounts them"
command -v node >/dev/null || refuse "there is no node (pkg install node npm)"
project=$(cd "$(dirname "$0")/../../.." && pwd)
[ -d "$project/node_modules" ] || refuse "run npm ci in $project first"

work=$(mktemp -d /tmp/hast-selftest.XXXXXX)
config=$work/hast.conf
passed=0
failed=0
disk_a=
disk_b=
pid_a=
pid_b=

pass() {
	passed=$((passed + 1))
	echo "pass  $1"
}

fail() {
	failed=$((failed + 1))
	echo "FAIL  $1"
}

# step TEXT COMMAND...: what the command says is in the log of the test.
step() {
	text=$1
	shift
	echo "== $text: $*" >>"$work/log"
	if "$@" >>"$work/log" 2>&1; then pass "$text"; else fail "$text"; fi
}

# A step without which the following make no sense.
must() {
	before=$failed
	step "$@"
	[ "$failed" -eq "$before" ] || exit 1
}

# within SECONDS COMMAND...: until it succeeds.
within() {
	limit=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -lt "$limit" ] || return 1
		sleep 0.2
	done
}

# shellcheck disable=SC2317,SC2329 # the trap calls it
clean_up() {
	umount -f "$work/mnt" 2>/dev/null
	for process in $pid_a $pid_b; do kill "$process" 2>/dev/null; done
	for process in $pid_a $pid_b; do wait "$process" 2>/dev/null; done
	for name in selftest-a selftest-b; do destroy_unit "$name" 2>/dev/null; done
	for disk in $disk_a $disk_b; do mdconfig -d -u "$disk" 2>/dev/null; done
	echo "$passed passed, $failed failed"
	if [ "$keep" = yes ] || [ "$failed" -gt 0 ]; then
		echo "logs and files: $work"
	else
		rm -rf "$work"
	fi
	[ "$failed" -eq 0 ] || exit 1
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# Programs of one node: ctl NODE SUBCOMMAND [ARGUMENTS].
ctl() {
	node=$1
	subcommand=$2
	shift 2
	node "$project/dist/cli/hastctl.js" "$subcommand" -c "$config" --node "$node" --run-dir "$work/$node" "$@"
}

# Starts the daemon of node $1 in the background; its process id is in $daemon.
daemon_of() {
	mkdir -p "$work/$1"
	node "$project/dist/cli/hastd.js" -F -c "$config" --node "$1" --run-dir "$work/$1" \
		-P "$work/$1/hastd.pid" --device ggate >>"$work/$1/hastd.log" 2>&1 &
	daemon=$!
	# Not ours to report on when it is killed.
	within 15 ctl "$1" status selftest >/dev/null 2>&1
}

worker_of() {
	ctl "$1" list selftest | sed -n 's/^ *workerpid: //p'
}

in_sync() {
	ctl "$1" list selftest | grep -q 'status: complete' && ctl "$1" list selftest | grep -q 'dirty: 0 '
}

is_character_device() {
	[ -c "$1" ]
}

is_gone() {
	[ ! -e "$1" ]
}

logged() {
	grep -q "$2" "$work/$1/hastd.log"
}

# Removes a provider as an administrator would.
destroy_unit() {
	unit=$(unit_of "$1")
	[ -n "$unit" ] && ggatel destroy -f -u "$unit"
}

# ggatel knows units by number, GEOM by name.
unit_of() {
	sysctl -n kern.geom.confxml | tr -d '\n' |
		sed -e 's/<geom /\
&/g' | sed -n "s|.*<name>hast/$1</name>.*<unit>\\([0-9]*\\)</unit>.*|\\1|p" | head -n 1
}

sizes_match() {
	size=$(ctl "$1" dump selftest | sed -n 's/^ *datasize: \([0-9]*\).*/\1/p')
	[ "$(diskinfo "/dev/hast/selftest-$1" | awk '{ print $3 }')" = "$size" ]
}

# Files of many sizes below $1, and their checksums in $2.
make_files() {
	mkdir -p "$1" || return 1
	for number in 1 2 3 4 5 6 7 8; do
		dd if=/dev/random of="$1/small$number" bs="${number}k" count=3 2>/dev/null || return 1
		dd if=/dev/random of="$1/large$number" bs=1m count="$number" 2>/dev/null || return 1
	done
	(cd "$1" && sha256 -r ./*) >"$2"
}

files_are() {
	(cd "$1" && sha256 -r ./*) | cmp - "$2"
}

# Writes a file while the worker of node $1 is killed; the application only notices a pause.
write_while_killed() {
	dd if=/dev/random of="$work/source" bs=1m count=32 2>/dev/null
	dd if="$work/source" of="$work/mnt/during" bs=64k 2>/dev/null &
	writer=$!
	killed=$(worker_of "$1")
	kill -9 "$killed" || return 1
	wait "$writer" || return 1
	sync
	cmp "$work/source" "$work/mnt/during"
}

kill_node() {
	worker=$(worker_of "$1")
	eval "daemon=\$pid_$1"
	kill -9 "$daemon" "$worker"
	wait "$daemon" 2>/dev/null
	within 10 dead "$worker"
}

dead() {
	! kill -0 "$1" 2>/dev/null
}

same_data() {
	start=$(ctl a dump selftest | sed -n 's/^ *localoff: \([0-9]*\).*/\1/p')
	cmp "/dev/$disk_a" "/dev/$disk_b" "$start" "$start"
}

stop_daemons() {
	kill "$pid_a" "$pid_b"
	wait "$pid_a" && wait "$pid_b"
}

write_config() {
	cat >"$config" <<END
replication memsync
timeout 10
on a {
	listen tcp4://127.0.0.1:18457
}
on b {
	listen tcp4://127.0.0.1:18458
}
resource selftest {
	on a {
		name selftest-a
		local /dev/$disk_a
		remote tcp4://127.0.0.1:18458
	}
	on b {
		name selftest-b
		local /dev/$disk_b
		remote tcp4://127.0.0.1:18457
	}
}
END
}

build() {
	cd "$project" || return 1
	rm -rf native/build
	npm run build && [ -f native/build/Release/hast.node ]
}

throughput() {
	began=$(date +%s)
	dd if=/dev/zero of="$work/mnt/speed" bs=1m count=64 2>/dev/null && sync || return 1
	ended=$(date +%s)
	echo "      64 MB and sync: $((ended - began)) s"
}

echo "FreeBSD $(freebsd-version) $(uname -m), node $(node --version), $(c++ --version | head -n 1)"
echo "maxphys $(sysctl -n kern.maxphys 2>/dev/null || echo 'fixed')"

# The interface is compared with the system's headers while the addon is compiled.
must 'the addon builds, and its interface is the one of this kernel' build
step 'the driver passes its tests on the fake kernel' "$project/test/ggate/kernel/run.sh" plain

kldunload geom_gate 2>/dev/null
disk_a=$(mdconfig -a -t malloc -s "${megabytes}m")
disk_b=$(mdconfig -a -t malloc -s "${megabytes}m")
write_config
mkdir -p "$work/mnt" "$work/a" "$work/b"
must 'create node a' ctl a create selftest
must 'create node b' ctl b create selftest
must 'daemon a starts' daemon_of a
pid_a=$daemon
must 'daemon b starts' daemon_of b
pid_b=$daemon
step 'the module is loaded' kldstat -q -m g_gate

must 'b becomes secondary' ctl b role secondary selftest
must 'a becomes primary' ctl a role primary selftest
must 'its device is a character device' within 30 is_character_device /dev/hast/selftest-a
step 'the device has the size of the data' sizes_match a
step 'the secondary has none' is_gone /dev/hast/selftest-b
if command -v trim >/dev/null; then
	step 'DELETE of more than any buffer' trim -fq -o 1m -l "$((megabytes / 2))m" /dev/hast/selftest-a
fi
must 'newfs' newfs -U /dev/hast/selftest-a
must 'mount' mount /dev/hast/selftest-a "$work/mnt"
must 'write files' make_files "$work/mnt/files" "$work/sums"
sync
step 'read them back' files_are "$work/mnt/files" "$work/sums"
step 'write speed' throughput
step 'the nodes are in sync' within 60 in_sync a

step 'the worker is killed while a file is written: the file is complete' write_while_killed a
step 'the next worker took the device over' logged a 'Device hast/selftest-a recovered'
step 'files are as before' files_are "$work/mnt/files" "$work/sums"
step 'the nodes are in sync again' within 60 in_sync a

step 'node a dies: daemon and worker are killed' kill_node a
pid_a=
# It waits for the device, which nobody serves.
umount -f "$work/mnt" >>"$work/log" 2>&1 &
unmounting=$!
must 'b becomes primary' ctl b role primary selftest
must 'the device of b is there' within 30 is_character_device /dev/hast/selftest-b
step 'fsck' fsck -y -t ufs /dev/hast/selftest-b

must 'daemon a starts again, and removes the device it had left' daemon_of a
pid_a=$daemon
step 'that device is gone' within 10 is_gone /dev/hast/selftest-a
wait "$unmounting"
must 'mount on b' mount /dev/hast/selftest-b "$work/mnt"
step 'files are on b' files_are "$work/mnt/files" "$work/sums"

must 'a becomes secondary' ctl a role secondary selftest
step 'a is brought up to date' within 60 in_sync b
umount "$work/mnt"
must 'b leaves its role' ctl b role init selftest
step 'its device is gone with it' is_gone /dev/hast/selftest-b
must 'a leaves its role' ctl a role init selftest
step 'both disks hold the same' same_data

must 'a becomes primary' ctl a role primary selftest
must 'its device is there' within 30 is_character_device /dev/hast/selftest-a
step 'somebody else removes the device' destroy_unit selftest-a
step 'the daemon notices' within 10 logged a 'Device hast/selftest-a is gone'
step 'the daemons stop' stop_daemons
pid_a=
pid_b=
