#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes data/recording.svg, the picture in README.md: starts zinitd with the services of data/examples in a folder and
# on a session bus of its own, types what a first user would type, and draws what the terminal showed, with the name of
# the folder replaced by ~. Nothing in it is written by hand. It takes some seconds and leaves nothing behind.
#
# usage: recording.sh [BUILD [FILE.svg]]      (default: build, data/recording.svg)
set -eu

COLUMNS_SHOWN=104

source_dir=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build_dir=$(CDPATH='' cd -- "${1:-$source_dir/build}" && pwd)
picture=${2:-$source_dir/data/recording.svg}
PATH=$build_dir/client:$build_dir/daemon:$PATH:/usr/sbin

fail ()
{
  echo "recording: $*" >&2
  exit 1
}

for program in zinit zinitd script dbus-run-session busctl redis-server redis-cli nginx awk; do
  command -v "$program" > /dev/null || fail "$program is missing; data/packages.sh names the package"
done

temporary=$(mktemp -d)
home=$temporary/home
socket=$temporary/run/zinit/zinit.sock

# The processes that were started for the picture: all of them have its run-time folder in their environment, but nginx
# writes its title over that, and works in the folder.
left_over ()
{
  {
    grep -lsF "XDG_RUNTIME_DIR=$temporary/run" /proc/[0-9]*/environ || true
    find /proc/[0-9]*/cwd -maxdepth 0 -lname "$temporary/*" 2> /dev/null || true
  } | cut -d / -f 3 | sort -u
}

finish ()
{
  [ ! -S "$socket" ] || zinit --socket "$socket" shutdown > /dev/null 2>&1 || true
  while processes=$(left_over) && [ -n "$processes" ]; do
    # shellcheck disable=SC2086
    kill -9 $processes 2> /dev/null || true
  done
  rm -rf "$temporary"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# What is typed. It runs in a terminal, in one shell, as the lines say.
cat > "$temporary/session" <<'END_OF_SESSION'
# show COMMAND [COMMENT]: as typed at a prompt.
show ()
{
  printf '\033[36;1m~ $\033[0m %s  \033[2m%s\033[0m\n' "$1" "${2:-}"
  eval "$1"
}

# until_listed STATE SERVICE: what a person does not see, because people are slower than the services.
until_listed ()
{
  tries=0
  until zinit list --state "$1" --names 2> /dev/null | grep -qx "$2"; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || exit 1
    sleep 0.05
  done
}

stty cols "$COLUMNS_SHOWN" rows 40
cd
show 'zinitd --session 2> zinitd.log &'
until_listed running worker
until [ "$(zinit logs crasher | grep -c 'cannot go on')" -ge 3 ]; do
  sleep 0.05
done
until_listed failed crasher
show 'zinit list'
show 'zinit why crasher'
show 'zinit why maintenance'
show 'busctl --user get-property org.zinit /org/zinit/service/redis org.zinit.Service State Pid'
show 'kill -9 $!' '# the daemon dies; its services do not'
wait $! 2> /dev/null
show 'zinitd --session 2> zinitd.log &'
until_listed running worker
show 'zinit list' '# the same processes, not restarted'
zinit shutdown > "$HOME/shutdown"
wait
END_OF_SESSION

mkdir -p "$home/.config/zinit/services"
mkdir -m 700 "$temporary/run"
cp "$source_dir"/data/examples/*.toml "$home/.config/zinit/services"
env -u XDG_CONFIG_HOME -u ZINIT_EXAMPLES_DIR -u NOTIFY_SOCKET -u NO_COLOR -u LANGUAGE -u LC_ALL \
  HOME="$home" XDG_RUNTIME_DIR="$temporary/run" ZINIT_SOCKET="$socket" COLUMNS_SHOWN="$COLUMNS_SHOWN" \
  LANG=C.UTF-8 TERM=xterm-256color \
  timeout 60 dbus-run-session -- script -qec "sh '$temporary/session'" /dev/null \
  < /dev/null > "$temporary/shown" 2> "$temporary/errors" &
# In the background, because a signal would have to wait for a command in the foreground.
wait $! ||
  { cat "$temporary/shown" "$temporary/errors" >&2; fail "the session failed"; }

sed "s|$home|~|g" "$temporary/shown" |
  LC_ALL=C awk -v columns="$COLUMNS_SHOWN" -f "$source_dir/data/terminal-svg.awk" > "$temporary/picture.svg"
cp "$temporary/picture.svg" "$picture"
