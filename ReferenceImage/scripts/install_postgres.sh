#!/usr/bin/env bash
# The PostgreSQL client of the final image, from Debian.
set -euo pipefail
# shellcheck source=ReferenceImage/scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ ${INSTALL_POSTGRES_CLIENT:-true} == true ]] || exit 0
note "installing the PostgreSQL client"
apt_install libpq5 postgresql-client
apt_clean
