# SPDX-License-Identifier: Apache-2.0
#
# The Debian packages that building, showing and testing zinit need, and how missing ones are installed. Read by
# data/quickstart.sh, tests/run.sh and .ci/run; does nothing by itself.
# shellcheck disable=SC2034,SC2086

BUILD_PACKAGES="gcc g++ libc6-dev meson ninja-build pkg-config gettext
  libglib2.0-dev libglib2.0-dev-bin libjson-glib-dev libtomlplusplus-dev"

# What the example services are made of, a bus to see them on, busctl (systemd), and what asks them.
EXAMPLE_PACKAGES="dbus systemd redis-server redis-tools nginx curl"

# libglib2.0-bin has gdbus; the headers of valgrind are read by the build.
TEST_PACKAGES="python3 procps libglib2.0-bin valgrind"

# For tests/vm alone, which installs them itself; the kernel that runs there is downloaded and never installed.
VM_PACKAGES="qemu-system-x86 busybox-static cpio gzip binutils dbus libc-bin python3"

CI_PACKAGES="clang-14 clang-format-14 libclang-rt-14-dev libxml2-utils groff-base"

as_root ()
{
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo > /dev/null; then
    sudo "$@"
  else
    echo "This needs root: $*" >&2
    echo "Run it as root, or install sudo." >&2
    return 1
  fi
}

is_installed ()
{
  dpkg-query -W -f '${db:Status-Abbrev}\n' "$1" 2> /dev/null | grep -q '^.i'
}

# redis-server and nginx come as services of the system; here they are wanted as programs. While they are
# installed a policy-rc.d keeps them from being started (unless the machine has one), then they are disabled.
# The body is a subshell, so that the trap is its own.
install_quietly ()
(
  policy=/usr/sbin/policy-rc.d
  if ! [ -e "$policy" ]; then
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" > /dev/null && as_root chmod 755 "$policy" || exit 1
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" < /dev/null ||
    exit 1
  for package in "$@"; do
    case $package in
      redis-server | nginx)
        if command -v systemctl > /dev/null; then
          as_root systemctl disable "$package" > /dev/null 2>&1
        fi ;;
    esac
  done
  exit 0
)

# Installs those of the packages that are missing.
install_missing ()
{
  missing=
  for package in "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
  if [ -z "$missing" ]; then
    return 0
  fi
  echo "Installing:$missing"
  as_root apt-get update -q < /dev/null && install_quietly $missing
}
