#!/bin/bash
# Installs the packages of packages.apt that are not there yet: those every
# command needs, and with an argument those of that command.
# usage: packages.sh [COMMAND]
set -euo pipefail

mapfile -t wanted < <(sed 's/#.*//' "$(dirname "$0")/../../packages.apt" | awk -v set="${1:-}" '
  NF == 1 { print $1 }
  { for (i = 2; i <= NF; i++) if ($i == set) print $1 }')

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "There is no apt here. This needs what Debian 12 calls:" >&2
  echo "  ${wanted[*]}" >&2
  echo "Install them by your own means, then add SETUP=no to the make command." >&2
  exit 1
fi

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  # The command of that name from elsewhere will do (nodejs, npm, clang;
  # cargo and rustc for the packages of Debian's newer ones).
  [ "$state" = installed ] || command -v "${package%-web}" >/dev/null || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Please run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "$@"; }

echo "installing ${missing[*]}"
# A fresh image has no package lists; old lists may name files that are gone.
if ! apt-cache show "${missing[@]}" >/dev/null 2>&1 ||
   ! apt install -y --no-install-recommends "${missing[@]}"; then
  apt update
  apt install -y --no-install-recommends "${missing[@]}"
fi
