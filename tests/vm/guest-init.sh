#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Process 1 of the virtual machine: mounts what every Linux has. Then it runs the programs that /zinit/programs names,
# one after another, and powers off; or, where /zinit/services is, it becomes zinitd. Lines on the console that begin
# with @ are for test-vm.py.
# shellcheck disable=SC2086

busybox mount -t proc proc /proc
busybox mount -t sysfs sysfs /sys
busybox mount -t devtmpfs devtmpfs /dev
busybox mkdir -p /dev/shm
for folder in /dev/shm /run /tmp; do
  busybox mount -t tmpfs -o mode=1777 tmpfs "$folder"
done
busybox ip link set lo up
exec < /dev/null > /dev/console 2>&1
. /zinit/environment
cd /tmp || exit 1

echo "@kernel $(busybox uname -r)"
if [ -d /zinit/services ]; then
  exec "$ZINITD" --system --no-bus --config-dir /zinit/services --runtime-dir /run/zinit
fi
while read -r name limit_seconds arguments; do
  echo "@begin $name"
  busybox timeout -s KILL "$limit_seconds" "/zinit/test-$name" --tap $arguments < /dev/null
  echo "@end $name $?"
done < /zinit/programs
echo '@done'
busybox poweroff -f
