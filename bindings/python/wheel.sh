#!/usr/bin/env bash
# The wheel of the Python package, with the library in it, in target/wheel. Needs cargo, binutils and Python 3.8; no network.
#
# usage: bindings/python/wheel.sh [FOLDER]     SSMTP_LIBRARY: the library to carry, instead of what scripts/portable.sh makes
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
folder=${1:-$root/target/wheel}
SSMTP_LIBRARY=${SSMTP_LIBRARY:-$(bash "$root/scripts/portable.sh")}
export SSMTP_LIBRARY
mkdir -p "$folder"
rm -f "$folder"/ssmtp-*.whl
echo "$folder/$(PYTHONDONTWRITEBYTECODE=1 python3 "$here/backend.py" "$folder")"
