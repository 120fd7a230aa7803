# shellcheck shell=sh
# shellcheck disable=SC2034 # settings are read by whoever sources this
#
# What every fail-over script of HAST shares: settings, the log, bounded waits for real state, questions to hastd, block
# devices, file systems, addresses. POSIX sh for FreeBSD and Linux; the settings are described in
# hast-failover.conf.sample, the exit statuses in README.md. Functions that need variables of their own are
# subshells. Whoever sources this sets `share` to the directory above it.

: "${share:?the directory of the scripts}"
EX_USAGE=64
EX_REFUSED=69 # this node must not or cannot become primary, as things are
EX_TEMPFAIL=75 # a later event wants the opposite, or the lock is not to be had
EX_CONFIG=78

# ---------------------------------------------------------------------------------------------------------- settings

# load_settings [FILE]: defaults, then FILE. Without FILE: $HAST_FAILOVER_CONF, then the usual places, if there is one.
load_settings() {
	PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/usr/bin:/bin
	export PATH
	default_settings
	settings_file=${1:-${HAST_FAILOVER_CONF:-}}
	if [ -z "$settings_file" ]; then
		for settings_file in "$prefix/etc/hast-failover.conf" /etc/hast-failover.conf; do
			[ -e "$settings_file" ] && break
			settings_file=
		done
	fi
	[ -n "$settings_file" ] || return 0
	if [ ! -r "$settings_file" ]; then
		say err "cannot read the settings in $settings_file"
		return "$EX_CONFIG"
	fi
	settings_file=$(readlink -f -- "$settings_file")
	# shellcheck source=/dev/null
	. "$settings_file"
}

# Where locks, notes and the output of commands are.
make_state_dir() (
	umask 077
	mkdir -p "$state_dir" || {
		say err "cannot make the directory $state_dir"
		exit 1
	}
)

default_settings() {
	# From <prefix>/lib/hast/share.
	prefix=$(readlink -f -- "$share/../../..")
	name=hast-failover
	log=local0.notice
	resources=
	hastctl=hastctl
	[ -x "$prefix/sbin/hastctl" ] && hastctl=$prefix/sbin/hastctl
	hastctl_flags=
	run_dir=/var/run
	state_dir=/var/run/hast-failover
	event_dir=
	device_dir=/dev/hast
	mount_dir=/hast
	mount_options=
	zpool_import_flags=-f
	vip_prefix=
	ucarp_interface=
	ucarp_nodes=
	ucarp_address=
	ucarp_vhid=
	ucarp_passfile=
	ucarp_flags=
	state=
	provider=
	kill_users=yes
	hastd_timeout=30
	peer_timeout=60
	device_timeout=30
	umount_timeout=10
	lock_timeout=120
	retry_interval=30
	command_timeout=60
	case $(uname -s) in
	Linux)
		attach=nbd
		fstype=ext4
		fsck_flags=-p
		;;
	*)
		attach=none
		fstype=ufs
		fsck_flags='-p -y'
		;;
	esac
}

# Answers for one resource; the file of settings may define them anew.
fstype_of() { echo "$fstype"; }
mountpoint_of() { echo "$mount_dir/$1"; }
pool_of() { echo "$1"; }
start_services() { :; }
stop_services() { :; }

# --------------------------------------------------------------------------------------------------------------- log

# say PRIORITY TEXT...: to syslog, and to standard error with the time.
say() {
	say_priority=$1
	shift
	case $say_priority in
	info | notice)
		say_prefix=
		logger -t "$name" -p "$log" -- "$*" 2>/dev/null || :
		;;
	*)
		say_prefix="$say_priority: "
		logger -t "$name" -p "${log%.*}.$say_priority" -- "$*" 2>/dev/null || :
		;;
	esac
	printf '%s %s: %s%s\n' "$(date +%H:%M:%S)" "$name" "$say_prefix" "$*" >&2 || :
}

# run WHAT COMMAND...: what the command prints is logged when it fails. Its exit status. (A file, because a program that
# stays in the background would keep a pipe open.)
run() (
	what=$1
	shift
	status=0
	"$@" </dev/null >"$state_dir/output.$$" 2>&1 || status=$?
	[ "$status" -eq 0 ] || say err "$what: exit status $status: $(tr '\n' ' ' <"$state_dir/output.$$")"
	rm -f "$state_dir/output.$$"
	exit "$status"
)

# ------------------------------------------------------------------------------------------------------------- waits

# Seconds on a clock that nobody sets.
seconds() {
	if [ -r /proc/uptime ]; then
		read -r up _ </proc/uptime
		echo "${up%.*}"
	else
		ps -o etimes= -p $$ | tr -d ' '
	fi
}

# wait_for SECONDS COMMAND...: asks ten times a second. 0 when the command succeeds, its exit status when that is more
# than 1 (there is no point in waiting longer), 1 when the time is over.
wait_for() {
	wait_end=$(($(seconds) + $1))
	shift
	while :; do
		wait_status=0
		"$@" || wait_status=$?
		[ "$wait_status" -eq 1 ] || return "$wait_status"
		[ "$(seconds)" -le "$wait_end" ] || return 1
		sleep 0.1
	done
}

# --------------------------------------------------------------------------------------------- what is wanted, and who

# Events can overtake each other: every one notes what it wants before it waits for its turn, and one that finds that
# the opposite is wanted meanwhile stops where it can.

# note_wanted primary|secondary
note_wanted() {
	make_state_dir || return
	echo "$1" >"$state_dir/wanted.$$" && mv -f "$state_dir/wanted.$$" "$state_dir/wanted"
}

# still_wanted ROLE: 0, or 75 when it is not.
still_wanted() {
	{ read -r wanted <"$state_dir/wanted"; } 2>/dev/null || wanted=$1
	[ "$wanted" = "$1" ] || return "$EX_TEMPFAIL"
}

is_not_wanted() {
	still_wanted "$1" || return 0
	return 1
}

# locked COMMAND...: one at a time; 75 when its turn does not come in time. Programs it leaves behind do not keep the lock.
locked() {
	if command -v flock >/dev/null 2>&1; then
		flock -o -E "$EX_TEMPFAIL" -w "$lock_timeout" "$state_dir/lock" "$@"
	else
		lockf -k -s -t "$lock_timeout" "$state_dir/lock" "$@"
	fi
}

# run_while_wanted ROLE COMMAND...: 75, and the command is ended, when ROLE is no longer wanted.
run_while_wanted() (
	wanted_role=$1
	shift
	"$@" </dev/null >"$state_dir/output.$$" 2>&1 &
	child=$!
	while kill -0 "$child" 2>/dev/null; do
		if ! still_wanted "$wanted_role"; then
			kill "$child" 2>/dev/null
			wait_for 10 is_gone "$child" || kill -9 "$child" 2>/dev/null
			wait "$child" 2>/dev/null
			rm -f "$state_dir/output.$$"
			exit "$EX_TEMPFAIL"
		fi
		sleep 0.1
	done
	status=0
	wait "$child" || status=$?
	while read -r line; do say info "$1: $line"; done <"$state_dir/output.$$"
	rm -f "$state_dir/output.$$"
	exit "$status"
)

is_gone() {
	! kill -0 "$1" 2>/dev/null
}

# ------------------------------------------------------------------------------------------------------------- hastd

# hast_ctl SUBCOMMAND ARGUMENT...
hast_ctl() {
	hast_subcommand=$1
	shift
	# shellcheck disable=SC2086 # several words
	timeout "$command_timeout" "$hastctl" "$hast_subcommand" $hastctl_flags "$@"
}

# ask RESOURCE...: sets `state` to what `hastctl status --json` prints, of all when none is named; a resource that hastd
# does not know has no role there. 1 when hastd does not answer, 78 when hastctl cannot even ask.
ask() {
	ask_status=0
	state=$(hast_ctl status --json "$@" 2>/dev/null) || ask_status=$?
	case $ask_status in
	[0-9]) ;; # per resource
	57 | 60) return 1 ;; # its worker is just ending, or does not answer
	69 | 70 | 71 | 124) return 1 ;;
	*) return "$EX_CONFIG" ;;
	esac
}

# field NAME: a field of `state`; of several resources, one on a line.
field() {
	printf '%s\n' "$state" | sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p"
}

# As `state` says: the worker of a secondary lives as long as a primary is connected. 69: it is not a matter of waiting.
no_primary_is_connected() {
	case $(field role) in
	init | primary) ;;
	secondary) [ "$(field workerpid)" = 0 ] ;;
	*) return "$EX_REFUSED" ;;
	esac
}

# primary_has_gone RESOURCE: the same as things are now.
primary_has_gone() {
	still_wanted primary || return
	ask "$1" || return 1
	no_primary_is_connected
}

# Whether the local copy may be used alone, as its metadata says (no daemon is needed).
copy_is_complete() (
	printed=$(hast_ctl dump "$1" 2>&1) || {
		say err "$1: its metadata cannot be read: $(echo "$printed" | tr '\n' ' ')"
		exit 1
	}
	case $printed in
	*'Local copy is incomplete'* | *'will not use this metadata'*)
		say err "$1: $(echo "$printed" | grep WARNING | tr '\n' ' ')"
		exit 1
		;;
	esac
)

# What hast-event leaves until the nodes agree again.
split_brain_mark() { echo "${event_dir:-$state_dir}/split-brain.$1"; }

# The device of a primary is offered: 0, 1 not yet, 69 never.
device_is_offered() {
	still_wanted primary || return
	ask "$1" || return 1
	[ "$(field role)" = primary ] || return "$EX_REFUSED"
	[ "$(field exported)" = true ] || return "$EX_REFUSED"
	[ "$(field workerpid)" != 0 ] || return 1
	if [ "$attach" = none ]; then
		[ -c "$(device_of "$1")" ] || [ -b "$(device_of "$1")" ]
	else
		[ -S "$(socket_of "$1")" ]
	fi
}

# become_primary RESOURCE, whose `state` was asked for just now: the device is offered afterwards. Does nothing where
# that is so already.
become_primary() (
	still_wanted primary || exit
	no_primary_is_connected
	status=$?
	if [ "$status" -eq 1 ]; then
		status=0
		wait_for "$peer_timeout" primary_has_gone "$1" || status=$?
	fi
	case $status in
	0) ;;
	1)
		say err "$1: refused: another node is primary and connected, still after $peer_timeout s"
		exit "$EX_REFUSED"
		;;
	"$EX_TEMPFAIL") exit "$EX_TEMPFAIL" ;;
	*)
		say err "$1: hastd knows no such resource"
		exit 1
		;;
	esac
	before=$(field role)
	if [ "$before" != primary ]; then
		if [ -e "$(split_brain_mark "$1")" ]; then
			say err "$1: refused: split-brain $(cat "$(split_brain_mark "$1")"): decide which node's data is to be discarded," \
				"and there: hastctl role init $1, hastctl create $1, hastctl role secondary $1;" \
				"or remove $(split_brain_mark "$1")"
			exit "$EX_REFUSED"
		fi
		if ! copy_is_complete "$1"; then
			say err "$1: refused: this copy may not be used alone; 'hastctl role -f primary $1' would use it as it is"
			exit "$EX_REFUSED"
		fi
		still_wanted primary || exit
		say notice "$1: role primary"
		run "hastctl role primary $1" hast_ctl role primary "$1" || exit 1
	fi
	status=0
	wait_for "$device_timeout" device_is_offered "$1" || status=$?
	case $status in
	0) [ "$before" = primary ] || say notice "$1: its device is there" ;;
	1) say err "$1: there is no device after $device_timeout s" ;;
	"$EX_REFUSED") say err "$1: hastd offers no device, see its log" ;;
	esac
	exit "$status"
)

# become_secondary RESOURCE: returns when the device is gone.
become_secondary() (
	ask "$1" && [ "$(field role)" = secondary ] && exit 0
	say notice "$1: role secondary"
	run "hastctl role secondary $1" hast_ctl role secondary "$1" || exit 1
)

# ----------------------------------------------------------------------------------------------------- block devices

# Where hastd offers the device of a resource, and where its block device is: a link that attach_* makes, or the device
# that the system made. Both have the name of the provider, which `learn_provider` finds out.
socket_of() { echo "$run_dir/hast/${provider:-$1}"; }
device_of() { echo "$device_dir/${provider:-$1}"; }
learn_provider() {
	provider=$(printf '%s\n' "$state" | awk -F '"' -v name="$1" '
		$2 == "resource" { found = ($4 == name) }
		$2 == "provname" && found { print $4 }')
}

# How what hastd offers becomes a block device: `attach` in the settings names a METHOD, that is three functions,
#   attach_METHOD RESOURCE SOCKET LINK    make LINK a block device, or a link to one
#   detach_METHOD RESOURCE SOCKET LINK    the reverse; succeeds when there is nothing to do
#   attached_METHOD RESOURCE SOCKET LINK  whether it is so
# METHOD may be one of these, or one of the user's own.
attach_device() { device_call attach "$1"; }
detach_device() { device_call detach "$1"; }
device_is_attached() { device_call attached "$1"; }

device_call() {
	"$1_$attach" "$2" "$(socket_of "$2")" "$(device_of "$2")"
}

# The system makes the device itself.
attach_none() { :; }
detach_none() { :; }
attached_none() { :; }

# The nbd module of Linux. The client stays, to connect again when hastd's worker is replaced; with netlink it would not.
attach_nbd() (
	if ! nbd=$(free_nbd); then
		run 'modprobe nbd' modprobe nbd || exit 1
		if ! nbd=$(free_nbd); then
			say err "$1: every /dev/nbd* is in use (modprobe nbd nbds_max=...)"
			exit 1
		fi
	fi
	run "nbd-client $nbd" timeout "$command_timeout" \
		nbd-client -unix "$2" "$nbd" -name "${2##*/}" -persist -nonetlink || exit 1
	if ! wait_for "$device_timeout" nbd_is_connected "$nbd" "$2"; then
		say err "$1: $nbd is not connected after $device_timeout s"
		exit 1
	fi
	mkdir -p "${3%/*}" && ln -sfn "$nbd" "$3"
)

free_nbd() {
	for nbd_device in /dev/nbd[0-9] /dev/nbd[0-9][0-9]; do
		[ -b "$nbd_device" ] || continue
		nbd-client -c "$nbd_device" >/dev/null 2>&1 || {
			echo "$nbd_device"
			return 0
		}
	done
	return 1
}

# nbd_is_connected NBD SOCKET: by a client of this socket; a link that was left behind may name a device that
# somebody else uses meanwhile.
nbd_is_connected() {
	nbd_client=$(nbd-client -c "$1" 2>/dev/null) || return 1
	tr '\0' '\n' <"/proc/$nbd_client/cmdline" 2>/dev/null | grep -qxF -- "$2"
}

detach_nbd() (
	[ -L "$3" ] || exit 0
	nbd=$(readlink -- "$3")
	if nbd_is_connected "$nbd" "$2"; then run "nbd-client -d $nbd" nbd-client -d "$nbd" || exit 1; fi
	rm -f "$3"
)

attached_nbd() {
	[ -b "$3" ] && nbd_is_connected "$(readlink -- "$3")" "$2"
}

# As mount(8) shows it: /var/run is a link.
fuse_directory() { echo "$(readlink -f -- "$state_dir")/fuse/$1"; }

# nbdfuse and a loop device: where there is no nbd module.
attach_nbdfuse() (
	fuse=$(fuse_directory "$1")
	mkdir -p "$fuse" "${3%/*}" || exit 1
	# Ends with the unmounting of its directory, not with this script.
	(trap '' HUP && exec nbdfuse "$fuse" "nbd+unix:///?socket=$2") </dev/null >/dev/null 2>"$fuse.log" &
	if ! wait_for "$device_timeout" test -f "$fuse/nbd"; then
		say err "$1: nbdfuse: $(tr '\n' ' ' <"$fuse.log")"
		detach_nbdfuse "$@"
		exit 1
	fi
	if ! loop=$(losetup --find --show "$fuse/nbd" 2>&1); then
		say err "$1: losetup: $loop"
		detach_nbdfuse "$@"
		exit 1
	fi
	ln -sfn "$loop" "$3"
)

detach_nbdfuse() (
	fuse=$(fuse_directory "$1")
	if [ -L "$3" ]; then
		loop=$(readlink -- "$3")
		if loop_is_on "$loop" "$fuse/nbd"; then run "losetup -d $loop" losetup -d "$loop" || exit 1; fi
		rm -f "$3"
	fi
	case $(mount) in
	*" on $fuse "*) run "fusermount3 -u $fuse" fusermount3 -u -z "$fuse" ;;
	esac
)

# loop_is_on LOOP FILE: the link may be older than what LOOP is used for now. Of a FUSE file system that has died only
# the name in it is left.
loop_is_on() {
	case $(losetup --noheadings --output BACK-FILE "$1" 2>/dev/null) in
	"$2" | /nbd) ;;
	*) return 1 ;;
	esac
}

attached_nbdfuse() {
	[ -b "$3" ] && [ -f "$state_dir/fuse/$1/nbd" ] &&
		loop_is_on "$(readlink -- "$3")" "$(fuse_directory "$1")/nbd"
}

# ------------------------------------------------------------------------------------------------------ file systems

# mounted_from DIRECTORY: the device that is mounted there, as the kernel calls it (mount(8) of Linux may show the file
# behind a loop device); nothing when none is.
mounted_from() (
	directory=$(readlink -f -- "$1") || exit 0
	case $(uname -s) in
	Linux) findmnt --kernel --noheadings --output SOURCE --mountpoint "$directory" | tail -n 1 ;;
	*) mount | awk -v directory="$directory" '$2 == "on" && $3 == directory { device = $1 } END { print device }' ;;
	esac
)

# is_device_of RESOURCE DEVICE: whether it is the device that we mounted, or would.
is_device_of() {
	[ "$2" = "$(device_of "$1")" ] || [ "$2" = "$(readlink -f -- "$(device_of "$1")")" ] ||
		grep -qxF -- "$2" "$state_dir/mounted.$1" 2>/dev/null
}

# mount_resource RESOURCE: checks and mounts what is on its device; does nothing where that is so already.
mount_resource() (
	type=$(fstype_of "$1")
	case $type in
	none) ;;
	zfs) import_pool "$1" ;;
	*) check_and_mount "$1" "$type" "$(device_of "$1")" "$(mountpoint_of "$1")" ;;
	esac
)

# What a fsck may answer and yet be content: Linux sets bit 1 when it has corrected something.
fsck_is_content() {
	[ "$1" -eq 0 ] || { [ "$1" -eq 1 ] && [ "$(uname -s)" = Linux ]; }
}

check_and_mount() (
	device=$(readlink -f -- "$3")
	mounted=$(mounted_from "$4")
	if [ -n "$mounted" ]; then
		if is_device_of "$1" "$mounted"; then exit 0; fi
		say err "$1: $4 is in use: $mounted is mounted there"
		exit 1
	fi
	mkdir -p "$4" || exit 1
	say notice "$1: fsck of $device"
	case $(uname -s) in
	Linux) fsck=fsck.$2 ;;
	*) fsck=fsck_$2 ;;
	esac
	status=0
	# shellcheck disable=SC2086 # several words
	run_while_wanted primary "$fsck" $fsck_flags "$device" || status=$?
	[ "$status" -ne "$EX_TEMPFAIL" ] || exit "$status"
	if ! fsck_is_content "$status"; then
		say err "$1: fsck: exit status $status; repair the file system by hand"
		exit 1
	fi
	still_wanted primary || exit
	echo "$device" >"$state_dir/mounted.$1"
	run "$1: mount" mount -t "$2" ${mount_options:+-o "$mount_options"} "$device" "$4" || exit 1
	say notice "$1: mounted on $4"
)

import_pool() (
	pool=$(pool_of "$1")
	zpool list -H -o name "$pool" >/dev/null 2>&1 && exit 0
	# shellcheck disable=SC2086 # several words
	run "zpool import $pool" zpool import $zpool_import_flags "$pool" || exit 1
	say notice "$1: pool $pool imported"
)

# unmount_resource RESOURCE: whoever uses it is ended.
unmount_resource() (
	type=$(fstype_of "$1")
	case $type in
	none) ;;
	zfs)
		pool=$(pool_of "$1")
		zpool list -H -o name "$pool" >/dev/null 2>&1 || exit 0
		run "zpool export $pool" zpool export -f "$pool" || exit 1
		say notice "$1: pool $pool exported"
		;;
	*)
		directory=$(mountpoint_of "$1")
		mounted=$(mounted_from "$directory")
		[ -n "$mounted" ] || exit 0
		if ! is_device_of "$1" "$mounted"; then
			say notice "$1: left alone: $mounted, which is mounted on $directory"
			exit 0
		fi
		force_unmount "$directory" || {
			say err "$1: $directory cannot be unmounted"
			exit 1
		}
		rm -f "$state_dir/mounted.$1"
		say notice "$1: unmounted"
		;;
	esac
)

force_unmount() {
	if [ "$(uname -s)" != Linux ]; then
		run "umount $1" umount -f "$1"
	else
		wait_for "$umount_timeout" try_unmount "$1" || run "umount $1" umount "$1"
	fi
}

# Linux cannot unmount what somebody uses. And where another mount namespace has a copy of the mount (containers, services),
# umount succeeds and writes nothing: the device would go with what is still in memory.
try_unmount() {
	sync -f "$1" 2>/dev/null || :
	umount "$1" 2>/dev/null && return 0
	[ -n "$(mounted_from "$1")" ] || return 0
	[ "$kill_users" != yes ] || fuser -k -M -m "$1" >/dev/null 2>&1 || :
	return 1
}

# --------------------------------------------------------------------------------------------------------- addresses

# CARP carries its own address; with ucarp it is for the scripts. Does nothing unless `vip_prefix` is set.
add_address() {
	[ -n "$vip_prefix" ] && [ -n "${1:-}" ] && [ -n "${2:-}" ] || return 0
	case $(uname -s) in
	Linux) run "address $2" ip address replace "$2/$vip_prefix" dev "$1" ;;
	*) run "address $2" ifconfig "$1" alias "$2/$vip_prefix" ;;
	esac
}

remove_address() {
	[ -n "$vip_prefix" ] && [ -n "${1:-}" ] && [ -n "${2:-}" ] || return 0
	case $(uname -s) in
	Linux)
		case $(ip -o address show dev "$1") in
		*" $2/"*) run "address $2" ip address del "$2/$vip_prefix" dev "$1" ;;
		esac
		;;
	*)
		case $(ifconfig "$1") in
		*" $2 "*) run "address $2" ifconfig "$1" -alias "$2" ;;
		esac
		;;
	esac
}
