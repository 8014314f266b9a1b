#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Shows zinit at work without installing it: installs the Debian packages that are missing, builds, starts zinitd for
# this user on a session bus (one of its own if there is none) with the services of data/examples, and lists them.
# `sh data/quickstart.sh stop` ends all of it and leaves nothing behind but the build folder.
#
# ZINIT_QUICKSTART_DIR   where everything it makes goes (default: in $XDG_RUNTIME_DIR, else in /tmp)
# shellcheck disable=SC2086,SC2174,SC1091
set -eu

source_dir=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build_dir=$source_dir/build-quickstart
home=${ZINIT_QUICKSTART_DIR:-${XDG_RUNTIME_DIR:-/tmp}/zinit-quickstart-$(id -u)}
runtime_dir=$home/run
config_dir=$home/services
. "$source_dir/data/packages.sh"

fail ()
{
  echo "quickstart: $*" >&2
  exit 1
}

zinit ()
{
  "$build_dir/client/zinit" --socket "$runtime_dir/zinit.sock" "$@"
}

# A folder of this user alone: in /tmp somebody else may have made one of that name.
make_home ()
{
  mkdir -p -m 700 "$home"
  if [ -L "$home" ] || ! [ -O "$home" ]; then
    fail "$home is not a folder of this user; set ZINIT_QUICKSTART_DIR to another"
  fi
  mkdir -p -m 700 "$runtime_dir" "$config_dir"
}

# The process that FILE names, if it is still alive and still PROGRAM.
pid_in ()
{
  pid=$(cat "$1" 2> /dev/null) && [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2> /dev/null)" = "$2" ] &&
    echo "$pid"
}

build ()
{
  if ! [ -f "$build_dir/build.ninja" ]; then
    meson setup "$build_dir" "$source_dir" -Dtests=false --buildtype=release > "$home/build.log" 2>&1 ||
      { cat "$home/build.log"; fail "meson setup failed"; }
  fi
  ninja -C "$build_dir" > "$home/build.log" 2>&1 || { cat "$home/build.log"; fail "the build failed"; }
}

find_bus ()
{
  if [ -z "${DBUS_SESSION_BUS_ADDRESS:-}" ] && [ -S "${XDG_RUNTIME_DIR:-/nonexistent}/bus" ]; then
    DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
  fi
  if [ -z "${DBUS_SESSION_BUS_ADDRESS:-}" ]; then
    DBUS_SESSION_BUS_ADDRESS=unix:path=$home/bus
    if ! pid_in "$home/bus.pid" dbus-daemon > /dev/null; then
      rm -f "$home/bus"
      dbus-daemon --session --fork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS" \
        --print-pid=3 3> "$home/bus.pid" || fail "dbus-daemon does not start"
    fi
  fi
  export DBUS_SESSION_BUS_ADDRESS
}

start ()
{
  cp "$source_dir"/data/examples/*.toml "$config_dir"
  if pid_in "$home/zinitd.pid" zinitd > /dev/null; then
    echo "zinitd is running already; its definitions are read again."
    zinit reload
    return
  fi
  ZINIT_EXAMPLES_DIR=$home/examples PATH=$PATH:/usr/sbin \
    setsid "$build_dir/daemon/zinitd" --session --address "$DBUS_SESSION_BUS_ADDRESS" \
    --config-dir "$config_dir" --runtime-dir "$runtime_dir" > "$home/zinitd.log" 2>&1 < /dev/null &
  echo $! > "$home/zinitd.pid"
  tries=0
  until zinit list --state running --names 2> /dev/null | grep -qx worker; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ] || ! pid_in "$home/zinitd.pid" zinitd > /dev/null; then
      cat "$home/zinitd.log" >&2
      fail "the services did not come up"
    fi
    sleep 0.1
  done
}

show ()
{
  zinit list
  cat <<END

Look around:
  export DBUS_SESSION_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS ZINIT_SOCKET=$runtime_dir/zinit.sock \\
    ZINIT_DAEMON=$build_dir/daemon/zinitd
  alias zinit=$build_dir/client/zinit
  zinit status redis;  zinit logs -n 5 worker;  zinit why maintenance;  zinit watch
  busctl --user tree org.zinit;  busctl --user introspect org.zinit /org/zinit/service/redis
  curl --unix-socket $home/examples/web.sock http://localhost/
End it:  sh $source_dir/data/quickstart.sh stop
END
}

stop ()
{
  if pid=$(pid_in "$home/zinitd.pid" zinitd); then
    zinit shutdown || kill "$pid"
    tries=0
    while [ -d "/proc/$pid" ]; do
      tries=$((tries + 1))
      [ $tries -le 600 ] || fail "zinitd ($pid) does not end; see $home/zinitd.log"
      sleep 0.1
    done
  fi
  if pid=$(pid_in "$home/bus.pid" dbus-daemon); then
    kill "$pid"
  fi
  rm -rf "$home"
  echo "Stopped."
}

case ${1:-start} in
  start)
    install_missing $BUILD_PACKAGES $EXAMPLE_PACKAGES || fail "cannot install what is missing"
    make_home
    build
    find_bus
    start
    show ;;
  stop)
    if [ -d "$home" ]; then
      make_home
      stop
    else
      echo "Nothing to stop: there is no $home."
    fi ;;
  *)
    echo "usage: sh data/quickstart.sh [start|stop]" >&2
    exit 2 ;;
esac
