#!/usr/bin/env bash
# Debian packages of a stage: install_os_dependencies.sh dev|runtime
set -euo pipefail
# shellcheck source=ReferenceImage/scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# What the Python packages without a binary wheel need to compile: MySQL, LDAP, Kerberos, XML security, ODBC, SASL.
readonly dev_packages=(
    build-essential freetds-dev git graphviz-dev krb5-user libev-dev libffi-dev libgeos-dev libkrb5-dev libldap2-dev
    libleveldb-dev libmariadb-dev libpq-dev libsasl2-dev libssl-dev libxmlsec1-dev pkgconf sudo unixodbc-dev
)

readonly runtime_packages=(
    apt-transport-https apt-utils ca-certificates curl dumb-init freetds-bin gnupg krb5-user ldap-utils libev4 libffi8
    libgeos-dev libldap-2.5-0 libsasl2-2 libsasl2-modules libssl3 libxmlsec1 locales lsb-release netcat-openbsd
    openssh-client python3-selinux rsync sasl2-bin sqlite3 sudo unixodbc
)

# The base may be a Debian Python, whose headers are a package of their own, or one compiled into /usr/local.
python_headers() {
    local include
    include="$(python -c 'import sysconfig; print(sysconfig.get_path("include"))')"
    [[ -e ${include}/Python.h ]] || echo python3-dev
}

install_stage() {
    local list="$1" command="$2" extra_command="$3" extra_env="$4" extra_list="$5"
    shift 5
    local packages=("$@") chosen=() additional=() environment=()
    read -r -a chosen <<<"${list}"
    read -r -a additional <<<"${extra_list}"
    read -r -a environment <<<"${extra_env}"
    ((${#chosen[@]} == 0)) || packages=("${chosen[@]}")
    ((${#environment[@]} == 0)) || export "${environment[@]}"
    # The two commands are how a caller adds an apt source before anything is installed.
    bash -o pipefail -o errexit -c "${command}"
    bash -o pipefail -o errexit -c "${extra_command:-true}"
    note "installing $((${#packages[@]} + ${#additional[@]})) Debian packages"
    apt_install "${packages[@]}" "${additional[@]}"
    apt_clean
}

case "${1-}" in
dev)
    mapfile -t headers < <(python_headers)
    install_stage "${DEV_APT_DEPS-}" "${DEV_APT_COMMAND:-true}" "${ADDITIONAL_DEV_APT_COMMAND-}" \
        "${ADDITIONAL_DEV_APT_ENV-}" "${ADDITIONAL_DEV_APT_DEPS-}" "${dev_packages[@]}" "${headers[@]}"
    ;;
runtime)
    install_stage "${RUNTIME_APT_DEPS-}" "${RUNTIME_APT_COMMAND:-true}" "${ADDITIONAL_RUNTIME_APT_COMMAND-}" \
        "${ADDITIONAL_RUNTIME_APT_ENV-}" "${ADDITIONAL_RUNTIME_APT_DEPS-}" "${runtime_packages[@]}"
    ;;
*)
    echo "usage: $0 dev|runtime" >&2
    exit 2
    ;;
esac
