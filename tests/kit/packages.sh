#!/bin/bash
# Installs the Debian packages named as arguments that are not there yet.
set -euo pipefail

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "There is no apt here. meshwork needs what Debian 12 calls:" >&2
  echo "  $*" >&2
  echo "Install them by your own means, then add SETUP=no to the make command." >&2
  exit 1
fi

missing=()
for package in "$@"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
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
