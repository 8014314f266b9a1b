#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A service of the zinitd that is process 1 of the virtual machine: looks at what is special there, says it on the
# console as TAP, and at last tells process 1 to shut down. What follows then test-vm.py reads on the console.
exec > /dev/console 2>&1

number=0
report ()
{
  number=$((number + 1))
  echo "$1 $number /init/$2"
}

check ()
{
  name=$1
  shift
  if "$@"; then report ok "$name"; else report 'not ok' "$name"; fi
}

# Up to a minute: true once the command is.
becomes ()
{
  for _ in $(busybox seq 600); do
    "$@" && return 0
    sleep 0.1
  done
  return 1
}

main_pid ()
{
  "$ZINIT" --json status "$1" | busybox sed -n 's/.*"pid" *: *\([0-9]*\).*/\1/p' | busybox head -n 1
}

is_process_1 ()
{
  [ "$(busybox readlink /proc/1/exe)" = "$ZINITD" ]
}

# Zombies whose parent is process 1.
has_no_zombies ()
{
  ! cat /proc/[0-9]*/stat 2> /dev/null | busybox grep -q ') Z 1 '
}

# It comes to process 1, for its parent is gone at once.
orphan_is_reaped ()
{
  pid=$(sh -c 'setsid sleep 0.2 > /dev/null & echo $!')
  [ "$pid" -gt 1 ] && becomes has_ended "$pid" && becomes has_no_zombies
}

has_ended ()
{
  ! [ -e "/proc/$1" ]
}

has_other_pid ()
{
  now=$(main_pid web)
  [ "${now:-0}" -gt 1 ] && [ "$now" != "$1" ]
}

crash_is_mended ()
{
  before=$(main_pid web)
  [ "$before" -gt 1 ] && kill -KILL "$before" && becomes has_other_pid "$before" && has_ended "$before"
}

reexecution_keeps_all ()
{
  before=$(main_pid web)
  "$ZINIT" reexec && becomes "$ZINIT" list > /dev/null && is_process_1 && [ "$(main_pid web)" = "$before" ]
}

# The kernel gives process 1 no signal that it does not handle.
kill_is_ignored ()
{
  kill -KILL 1 && is_process_1 && "$ZINIT" list > /dev/null
}

echo '@begin init'
check process-1 is_process_1
check orphan orphan_is_reaped
check crash crash_is_mended
check reexecute reexecution_keeps_all
check kill kill_is_ignored
check orphan-again orphan_is_reaped
echo "1..$number"
echo '@end init 0'
kill -TERM 1
exec sleep 1000
