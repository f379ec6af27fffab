#!/usr/bin/env bash
# The Microsoft ODBC driver exists in Microsoft's repository only, and this image takes Debian packages from Debian only.
# Asking for the driver is therefore an error: a claim in the image's environment that no file backs up is worse.
set -euo pipefail

[[ ${INSTALL_MSSQL_CLIENT:-false} == true ]] || exit 0
echo "INSTALL_MSSQL_CLIENT=true: the driver is not available from Debian; build with INSTALL_MSSQL_CLIENT=false" >&2
exit 1
