# Shared by ./run and ./test: installs what is missing and builds. Sourced by bash; what these
# functions say goes to standard error, so that a script's own output stays clean.

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Packages of the lists given as arguments that are neither installed nor provided by one that is
# (a nodejs from elsewhere brings its own npm, and does not go together with Debian's).
missing_packages() {
  local name provided
  provided=$(dpkg-query -W -f='${db:Status-Status} ${Provides},\n' | sed -n 's/^installed / /p')
  sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$@" | while read -r name; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
      grep -qE "[ ,]$name( \\(|,)" <<<"$provided" || echo "$name"
  done
}

# Debian starts a service when it installs one; the tests start their own servers on free ports.
without_services() {
  local policy=/usr/sbin/policy-rc.d made=no status=0
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
    made=yes
  fi
  "$@" || status=$?
  [ "$made" = no ] || as_root rm -f "$policy"
  return "$status"
}

install_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  echo "installing:" $missing >&2
  as_root apt-get update -qq >&2
  # shellcheck disable=SC2086  # one word a package
  without_services as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing >&2
}

# build PRESET TARGET...
build() {
  local preset=$1
  shift
  export CCACHE_BASEDIR=$project CCACHE_SLOPPINESS=pch_defines,time_macros
  (
    cd "$project"
    if [ ! -f "build/$preset/build.ninja" ]; then cmake --preset "$preset"; fi
    ninja -C "build/$preset" "$@"
  ) >&2
}
