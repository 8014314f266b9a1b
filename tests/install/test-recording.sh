#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# data/recording.sh draws what the programs of a build folder print: well-formed, not too large, nothing of this machine
# in it, no process left. Times and pids differ each time; the commands must be those of the picture in the source, and
# the pids must be the same before and after the daemon is killed. Prints TAP.
#
# usage: test-recording.sh SOURCE BUILD
set -u

for program in redis-server redis-cli nginx dbus-run-session busctl script python3; do
  if ! PATH=$PATH:/usr/sbin command -v "$program" > /dev/null; then
    echo "1..0 # SKIP needs $program"
    exit 0
  fi
done

source_dir=$1
build_dir=$2
temporary=$(mktemp -d) || exit 1
trap 'rm -rf "$temporary"' EXIT
cases=0

# result STATUS NAME FILE: one TAP case; FILE is shown when it failed.
result ()
{
  cases=$((cases + 1))
  if [ "$1" = 0 ]; then
    echo "ok $cases - $2"
  else
    echo "not ok $cases - $2"
    sed 's/^/# /' "$3"
  fi
}

# The lines of a picture as text, "$ COMMAND" and what it printed; its width in pixels and its number of lines first.
read_picture ()
{
  python3 - "$1" <<'END_OF_PYTHON'
import sys, xml.etree.ElementTree
root = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
lines = [" ".join(part.text for part in line) for line in root.iter("{http://www.w3.org/2000/svg}text") if len(line)]
print(root.get("width"), len(lines))
print("\n".join(lines))
END_OF_PYTHON
}

# A run that loses its zinitd half-way ends without a picture.
interrupted_run ()
{
  TMPDIR=$temporary/tmp sh "$source_dir/data/recording.sh" "$build_dir" "$temporary/lost.svg" > "$temporary/output" 2>&1 &
  script=$!
  tries=0
  until [ -n "$(find "$temporary/tmp" -name web.sock)" ] || [ $tries -gt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
  grep -lsF "XDG_RUNTIME_DIR=$temporary/" /proc/[0-9]*/environ | cut -d / -f 3 | while read -r process; do
    [ "$(cat "/proc/$process/comm" 2> /dev/null)" != zinitd ] || kill -9 "$process"
  done
  kill -TERM "$script"
  ! wait "$script"
}

pids_of ()
{
  sed -n "s/^$1 running - \([0-9]*\) .*/\1/p" "$temporary/lines"
}

# Also nginx, which writes its title over its environment, and works in the folder.
nothing_is_left ()
{
  {
    grep -lsF "$temporary" /proc/[0-9]*/environ
    find /proc/[0-9]*/cwd -maxdepth 0 -lname "$temporary/*" 2> /dev/null
    find "$temporary/tmp" -mindepth 1
  } > "$temporary/left"
  ! [ -s "$temporary/left" ]
}

mkdir "$temporary/tmp"
interrupted_run
result $? "the script ends when it is told to" "$temporary/output"
nothing_is_left
result $? "without its daemon it leaves nothing behind either" "$temporary/left"
TMPDIR=$temporary/tmp sh "$source_dir/data/recording.sh" "$build_dir" "$temporary/new.svg" > "$temporary/output" 2>&1
result $? "the script runs" "$temporary/output"
nothing_is_left
result $? "it leaves neither a process nor a file behind" "$temporary/left"

read_picture "$temporary/new.svg" > "$temporary/lines" 2>&1
result $? "the picture is well-formed" "$temporary/lines"
read -r width height < "$temporary/lines"
[ "$width" -le 920 ] && [ "$height" -le 40 ]
result $? "it is not too large" "$temporary/lines"
for name in redis nginx worker; do
  pids=$(pids_of $name)
  [ "$(echo "$pids" | wc -l)" = 2 ] && [ "$(echo "$pids" | uniq | wc -l)" = 1 ]
  result $? "$name has the same pid after the daemon was killed" "$temporary/lines"
done
grep -q '^crasher: failed: exited with code 3' "$temporary/lines" && grep -q 'conflicts with nginx' "$temporary/lines"
result $? "it says why a service does not run" "$temporary/lines"
! grep -e "$temporary" -e "$build_dir" -e "$source_dir" "$temporary/new.svg" > "$temporary/leaks"
result $? "no path of this machine is in it" "$temporary/leaks"

read_picture "$source_dir/data/recording.svg" > "$temporary/committed" 2>&1
for picture in lines committed; do
  grep '^~ \$ ' "$temporary/$picture" > "$temporary/$picture.commands"
done
diff "$temporary/committed.commands" "$temporary/lines.commands" > "$temporary/difference"
result $? "the picture in the source shows these commands; else make it again" "$temporary/difference"
echo "1..$cases"
