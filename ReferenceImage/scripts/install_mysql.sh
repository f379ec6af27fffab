#!/usr/bin/env bash
# The MySQL client of the final image. Debian's own MariaDB packages: bookworm carries the 10.11 series, the one the
# released images take from MariaDB's repository.
set -euo pipefail
# shellcheck source=ReferenceImage/scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

[[ ${INSTALL_MYSQL_CLIENT:-true} == true ]] || exit 0
if [[ ${INSTALL_MYSQL_CLIENT_TYPE:-mariadb} != mariadb ]]; then
    echo "INSTALL_MYSQL_CLIENT_TYPE=${INSTALL_MYSQL_CLIENT_TYPE}: only mariadb is available from Debian" >&2
    exit 1
fi
note "installing the MariaDB client"
apt_install libmariadb3 mariadb-client
apt_clean
