#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Shows zinit at work without installing it: installs the Debian packages that are missing, builds, starts zinitd for
# this user on a session bus (one of its own if there is none) with the services of data/examples, and lists them.
# `sh data/quickstart.sh stop` ends all of it and leaves nothing behind but the build folder.
#
# ZINIT_QUICKSTART_DIR     where everything it makes goes (default: in $XDG_RUNTIME_DIR, else in /tmp)
# ZINIT_QUICKSTART_BUILD   a build folder to take as it is (default: build-quickstart, which is made)
# shellcheck disable=SC2086,SC2174,SC1091
set -eu

source_dir=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build_dir=${ZINIT_QUICKSTART_BUILD:-$source_dir/build-quickstart}
home=${ZINIT_QUICKSTART_DIR:-${XDG_RUNTIME_DIR:-/tmp}/zinit-quickstart-$(id -u)}
runtime_dir=$home/run
config_dir=$home/services
pristine_dir=$home/examples-as-copied
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
  mkdir -p -m 700 "$runtime_dir" "$config_dir" "$pristine_dir"
}

# Whether process PID is alive: one that has ended is in /proc until its parent asks for it, maybe for ever.
alive ()
{
  grep -q '^State:[[:space:]]*[A-WYa-wy]' "/proc/$1/status" 2> /dev/null
}

# The process that FILE names, if it is still alive and still PROGRAM.
pid_in ()
{
  pid=$(cat "$1" 2> /dev/null) && [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2> /dev/null)" = "$2" ] &&
    alive "$pid" && echo "$pid"
}

# The examples, but not over what somebody has edited or removed since they were copied.
copy_examples ()
{
  for example in "$source_dir"/data/examples/*.toml; do
    name=$(basename "$example")
    if [ -f "$pristine_dir/$name" ] && ! cmp -s "$pristine_dir/$name" "$config_dir/$name"; then
      echo "$config_dir/$name was edited or removed; it is left as it is."
    else
      cp "$example" "$config_dir/$name"
      cp "$example" "$pristine_dir/$name"
    fi
  done
}

build ()
{
  if [ -n "${ZINIT_QUICKSTART_BUILD:-}" ]; then
    return
  fi
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

# How zinitd is started here, for this script and for a person who has killed it.
write_start_script ()
{
  cat > "$home/start-zinitd" <<END
export ZINIT_EXAMPLES_DIR='$home/examples' PATH="\$PATH:/usr/sbin"
echo \$\$ > '$home/zinitd.pid'
exec '$build_dir/daemon/zinitd' --session --address '$DBUS_SESSION_BUS_ADDRESS' \\
  --config-dir '$config_dir' --runtime-dir '$runtime_dir'
END
}

start ()
{
  copy_examples
  if pid_in "$home/zinitd.pid" zinitd > /dev/null; then
    echo "zinitd is running already; its definitions are read again."
    zinit reload || echo "What is wrong with a definition is said above; the others are in force." >&2
    return
  fi
  write_start_script
  rm -f "$home/zinitd.pid"
  setsid sh "$home/start-zinitd" > "$home/zinitd.log" 2>&1 < /dev/null &
  tries=0
  until zinit list --state running --names 2> /dev/null | grep -qx worker; do
    tries=$((tries + 1))
    # A shell becomes zinitd within the first of them.
    if [ $tries -gt 100 ] || { [ $tries -gt 20 ] && ! pid_in "$home/zinitd.pid" zinitd > /dev/null; }; then
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

Definitions:  $config_dir
Start zinitd again, should you have killed it:  setsid sh $home/start-zinitd > $home/zinitd.log 2>&1 < /dev/null &
Look around:
  export DBUS_SESSION_BUS_ADDRESS=$DBUS_SESSION_BUS_ADDRESS ZINIT_SOCKET=$runtime_dir/zinit.sock \\
    ZINIT_DAEMON=$build_dir/daemon/zinitd QUICKSTART=$home
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
    while alive "$pid"; do
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
