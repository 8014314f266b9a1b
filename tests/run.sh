#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages that are missing, builds with warnings as errors, runs every test, and prints the
# number of single cases as its last line: `N passed, N failed` (`, N skipped` if any were). Exits with 0 only if
# everything was built and nothing failed. Works from any folder, as root or with sudo.
#
# ZINIT_BUILD_DIR    where to build (default: build-test in the source folder)
# ZINIT_MESON_ARGS   more arguments for `meson setup`
# ZINIT_TEST_ARGS    more arguments for `meson test`, as `--suite unit`
# shellcheck disable=SC2086,SC1091
set -u

source_dir=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
build_dir=${ZINIT_BUILD_DIR:-$source_dir/build-test}
. "$source_dir/data/packages.sh"

# A last line in any case: what cannot be built has failed.
fail ()
{
  echo "$*"
  echo "0 passed, 1 failed"
  exit 1
}

install_missing $BUILD_PACKAGES $EXAMPLE_PACKAGES $TEST_PACKAGES || fail "cannot install what is missing"

# A folder that another meson or another tree has set up is of no use.
if [ -f "$build_dir/build.ninja" ] &&
  ! meson setup --reconfigure "$build_dir" "$source_dir" -Dwerror=true ${ZINIT_MESON_ARGS:-} > /dev/null 2>&1; then
  rm -rf "$build_dir"
fi
if ! [ -f "$build_dir/build.ninja" ]; then
  meson setup "$build_dir" "$source_dir" -Dwerror=true ${ZINIT_MESON_ARGS:-} || fail "meson setup failed"
fi
ninja -C "$build_dir" || fail "the build failed"

rm -f "$build_dir"/meson-logs/testlog*.json
meson test -C "$build_dir" --no-rebuild --print-errorlogs ${ZINIT_TEST_ARGS:-} < /dev/null
status=$?

echo
python3 "$source_dir/tests/lib/count-cases.py" "$build_dir"/meson-logs/testlog*.json
counted=$?
[ $status = 0 ] && [ $counted = 0 ]
