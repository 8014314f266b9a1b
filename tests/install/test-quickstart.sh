#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# data/quickstart.sh a second time: it leaves edited examples alone, says where the definitions are, and takes no dead
# zinitd for a living one. With the programs of a build folder, so that nothing is built. Prints TAP.
#
# usage: test-quickstart.sh SOURCE BUILD
set -u

for program in redis-server redis-cli nginx dbus-daemon curl busctl python3; do
  if ! PATH=$PATH:/usr/sbin command -v "$program" > /dev/null; then
    echo "1..0 # SKIP needs $program"
    exit 0
  fi
done

source_dir=$1
ZINIT_QUICKSTART_BUILD=$2
temporary=$(mktemp -d) || exit 1
ZINIT_QUICKSTART_DIR=$temporary/quick
DBUS_SESSION_BUS_ADDRESS=
XDG_RUNTIME_DIR=$temporary
export ZINIT_QUICKSTART_BUILD ZINIT_QUICKSTART_DIR DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR
services=$ZINIT_QUICKSTART_DIR/services
parent=
cases=0

finish ()
{
  [ -z "$parent" ] || kill "$parent"
  sh "$source_dir/data/quickstart.sh" stop > /dev/null 2>&1
  rm -rf "$temporary"
}
trap finish EXIT

# result STATUS NAME: one TAP case; what the quickstart printed is shown when it failed.
result ()
{
  cases=$((cases + 1))
  if [ "$1" = 0 ]; then
    echo "ok $cases - $2"
  else
    echo "not ok $cases - $2"
    sed 's/^/# /' "$temporary/output"
  fi
}

quickstart ()
{
  sh "$source_dir/data/quickstart.sh" "$@" > "$temporary/output" 2>&1
}

zinit ()
{
  "$ZINIT_QUICKSTART_BUILD/client/zinit" --socket "$ZINIT_QUICKSTART_DIR/run/zinit.sock" "$@"
}

quickstart
result $? "it starts"
grep -q "^Definitions: *$services\$" "$temporary/output"
result $? "it prints the folder of definitions"

# Another zinitd wrote its pid there and has died, and its parent does not ask how.
zinit shutdown > "$temporary/output" 2>&1
result $? "zinitd is shut down"
cp /bin/true "$temporary/zinitd"
python3 -c 'import subprocess, sys, time
process = subprocess.Popen([sys.argv[1]])
print(process.pid, flush=True)
time.sleep(1000)' "$temporary/zinitd" > "$temporary/dead" &
parent=$!
until [ -s "$temporary/dead" ] && grep -q '^State:[[:space:]]*Z' "/proc/$(cat "$temporary/dead")/status"; do
  sleep 0.02
done
cp "$temporary/dead" "$ZINIT_QUICKSTART_DIR/zinitd.pid"
echo '# mine' >> "$services/crasher.toml"
rm "$services/maintenance.toml"
quickstart
result $? "it starts beside a dead zinitd"
zinit list --names > "$temporary/names" 2>&1
result $? "its zinitd answers"
grep -q '^# mine' "$services/crasher.toml"
result $? "an example that was edited is left as it is"
! [ -e "$services/maintenance.toml" ]
result $? "one that was removed does not come back"
grep -q 'crasher.toml was edited' "$temporary/output"
result $? "that is said"

# What the tour tells to type.
kill -9 "$(cat "$ZINIT_QUICKSTART_DIR/zinitd.pid")"
zinit status > /dev/null 2>&1
setsid sh "$ZINIT_QUICKSTART_DIR/start-zinitd" > "$ZINIT_QUICKSTART_DIR/zinitd.log" 2>&1 < /dev/null &
tries=0
until zinit list --state running --names 2> /dev/null | grep -qx worker || [ $tries -gt 300 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
[ $tries -le 300 ]
result $? "zinitd is started again after a kill -9"
quickstart stop
result $? "it stops"
echo "1..$cases"
