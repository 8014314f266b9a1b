#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# `meson install` into an empty folder: everything that belongs there is there with its mode, nothing else is, and what
# was installed works: units, bus policy, activation, examples. Prints TAP.
#
# usage: test-install.sh SOURCE BUILD PREFIX
set -u

source_dir=$1
build_dir=$2
prefix=$3
temporary=$(mktemp -d) || exit 1
trap 'rm -rf "$temporary"' EXIT
dest=$temporary/root
cases=0

# result STATUS NAME: one TAP case; what is on standard input is shown when it failed.
result ()
{
  cases=$((cases + 1))
  if [ "$1" = 0 ]; then
    echo "ok $cases - $2"
  else
    echo "not ok $cases - $2"
    sed 's/^/# /'
  fi
}

# The whole installation below the prefix: mode and path. Translations come on top.
expected ()
{
  cat <<END
755 bin/zinit
755 libexec/zinitd
644 lib/systemd/system/zinitd.service
644 lib/systemd/user/zinitd.service
644 share/bash-completion/completions/zinit
644 share/dbus-1/interfaces/org.zinit.Manager.xml
644 share/dbus-1/interfaces/org.zinit.Service.xml
644 share/dbus-1/services/org.zinit.service
644 share/dbus-1/system-services/org.zinit.service
644 share/dbus-1/system.d/org.zinit.conf
644 share/man/man1/zinit.1
644 share/man/man5/zinit-service.5
644 share/man/man7/zinit-behaviour.7
644 share/man/man8/zinitd.8
END
  for example in "$source_dir"/data/examples/*.toml; do
    echo "644 share/doc/zinit/examples/$(basename "$example")"
  done
  for language in $(grep -v '^#' "$source_dir/po/LINGUAS" 2> /dev/null); do
    echo "644 share/locale/$language/LC_MESSAGES/zinit.mo"
  done
}

check_tree ()
{
  expected | sort > "$temporary/expected"
  (cd "$dest$prefix" && find . ! -type d -printf '%m %P\n') | sort > "$temporary/installed"
  diff "$temporary/expected" "$temporary/installed" > "$temporary/difference"
  result $? "everything is installed, with its mode, and nothing else" < "$temporary/difference"
  find "$dest" ! -type d ! -path "$dest$prefix/*" > "$temporary/outside"
  [ ! -s "$temporary/outside" ]
  result $? "nothing is installed outside the prefix" < "$temporary/outside"
}

# Units and activation files must start the program that was installed.
check_commands ()
{
  for file in lib/systemd/system/zinitd lib/systemd/user/zinitd share/dbus-1/services/org.zinit \
    share/dbus-1/system-services/org.zinit; do
    program=$(sed -n 's/^Exec\(Start\)\{0,1\}=\([^ ]*\).*/\2/p' "$dest$prefix/$file.service")
    [ -n "$program" ] && [ -x "$dest$program" ]
    result $? "$file.service starts what was installed" <<END
it starts "$program"
END
  done
  ! grep -rIl -e '@libexecdir@' -e "$build_dir" "$dest$prefix/lib" "$dest$prefix/share" > "$temporary/leaks"
  result $? "no file names the build folder" < "$temporary/leaks"
}

check_units ()
{
  for kind in system user; do
    sed "s|^ExecStart=[^ ]*|ExecStart=$dest$prefix/libexec/zinitd|" \
      "$dest$prefix/lib/systemd/$kind/zinitd.service" > "$temporary/zinitd.service"
    XDG_RUNTIME_DIR=$temporary SYSTEMD_LOG_LEVEL=warning systemd-analyze verify "--$kind" --man=no \
      --recursive-errors=no "$temporary/zinitd.service" > "$temporary/verify" 2>&1
    status=$?
    grep zinitd "$temporary/verify" > "$temporary/complaints"
    [ $status = 0 ] && [ ! -s "$temporary/complaints" ]
    result $? "systemd accepts the $kind unit" < "$temporary/verify"
  done
}

# A bus daemon that reads the policy says on standard error what it does not understand.
check_policy ()
{
  cat > "$temporary/bus.conf" <<END
<busconfig>
  <type>system</type>
  <listen>unix:path=$temporary/bus</listen>
  <policy context="default"><allow user="*"/><allow receive_type="method_return"/></policy>
  <include>$dest$prefix/share/dbus-1/system.d/org.zinit.conf</include>
</busconfig>
END
  dbus-daemon "--config-file=$temporary/bus.conf" --fork --print-pid=1 > "$temporary/pid" 2> "$temporary/errors"
  status=$?
  [ -s "$temporary/pid" ] && kill "$(cat "$temporary/pid")"
  # In a container the daemon may not raise its own limit, which says nothing of the policy.
  grep -v 'limit' "$temporary/errors" > "$temporary/complaints"
  [ $status = 0 ] && [ ! -s "$temporary/complaints" ]
  result $? "the bus accepts the policy" < "$temporary/errors"
}

check_programs ()
{
  for program in bin/zinit libexec/zinitd; do
    "$dest$prefix/$program" --version > "$temporary/out" 2>&1
    result $? "$program --version" < "$temporary/out"
  done
  "$dest$prefix/libexec/zinitd" --check-config "$dest$prefix/share/doc/zinit/examples" > "$temporary/out" 2>&1
  result $? "zinitd accepts the examples" < "$temporary/out"
}

DESTDIR=$dest meson install -C "$build_dir" --no-rebuild > "$temporary/log" 2>&1
result $? "meson install" < "$temporary/log"
check_tree
check_commands
check_units
check_policy
check_programs
echo "1..$cases"
