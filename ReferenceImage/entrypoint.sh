#!/usr/bin/env bash
# Entrypoint of the reference image: prepares the user, waits for what Airflow needs, then becomes the command.
# Behaves as the entrypoint of the Airflow 2.10 images is documented to; README.md says where the facts are listed.
set -euo pipefail

# With PIP_USER set, pip would install outside the virtual environment that is on the PATH.
unset PIP_USER

# The C++ runtime that was loaded first is the one every extension module gets, so load Debian's before any of them:
# some wheels carry an older one, and two of them in one process crash it.
LD_PRELOAD="/usr/lib/$(uname -m)-linux-gnu/libstdc++.so.6"
export LD_PRELOAD

# 0 means: do not wait for the database or the broker at all.
: "${CONNECTION_CHECK_MAX_COUNT:=20}"
: "${CONNECTION_CHECK_SLEEP_TIME:=3}"

say_error() { printf '\n%s\n\n' "$*" >&2; }

# Files here belong to group 0 so that any user ID can use them. The user airflow owns them and gets by without.
check_group() {
    [[ $(id -g) != 0 ]] || return 0
    if [[ $(id -u) == 50000 ]]; then
        say_error "WARNING! This image wants GID=0, also for the user airflow (UID=50000)"
        cat >&2 <<END
 You started the image with UID=$(id -u) and GID=$(id -g).
 Files that the container creates will not be usable for another user ID of group 0.
END
        return 0
    fi
    say_error "ERROR! You should run the image with GID=0"
    cat >&2 <<END
 You started the image with UID=$(id -u) and GID=$(id -g).
 Only group 0 can read and write the folders that Airflow needs. Start the container with --user "$(id -u):0".
END
    exit 1
}

# A platform may choose any user ID. Many programs fail for a user without a name, so such a user gets one.
name_the_user() {
    whoami &>/dev/null && return 0
    if [[ -w /etc/passwd ]]; then
        local name="${USER_NAME:-default}"
        echo "${name}:x:$(id -u):0:${name} user:${AIRFLOW_USER_HOME_DIR}:/sbin/nologin" >>/etc/passwd
    fi
    export HOME="${AIRFLOW_USER_HOME_DIR}"
}

# Root starts the same interpreter, but a Python script of root's own would not find Airflow without this.
set_pythonpath_for_root() {
    [[ $(id -u) == 0 ]] || return 0
    local site_packages
    site_packages="$(python -c 'import sys; print("lib/python{}.{}/site-packages".format(*sys.version_info))')"
    export PYTHONPATH="${AIRFLOW_USER_HOME_DIR}/.local/${site_packages}${PYTHONPATH:+:${PYTHONPATH}}"
    echo "Running as root. The user airflow, or any other user ID with GID=0, is enough for Airflow." >&2
}

# wait_until COMMAND...: succeeds as soon as the command does; ends the script after the last failed try.
wait_until() {
    local tries_left="${CONNECTION_CHECK_MAX_COUNT}" output status
    while true; do
        status=0
        output="$("$@" 2>&1)" || status=$?
        if ((status == 0)); then
            printf '\n'
            return 0
        fi
        printf '.'
        tries_left=$((tries_left - 1))
        ((tries_left > 0)) || break
        sleep "${CONNECTION_CHECK_SLEEP_TIME}"
    done
    printf '\nERROR! Maximum number of retries (%s) reached.\n\n' "${CONNECTION_CHECK_MAX_COUNT}"
    printf 'Last check result:\n$ %s\n%s\n\n' "$*" "${output}"
    exit 1
}

wait_for_database() {
    ((CONNECTION_CHECK_MAX_COUNT > 0)) || return 0
    wait_until airflow db check
}

# A failed migration is no reason to stop: another container may be doing the same one right now.
migrate_database() {
    if [[ -n ${_AIRFLOW_DB_UPGRADE-} ]]; then
        echo "WARNING: _AIRFLOW_DB_UPGRADE is deprecated. Use _AIRFLOW_DB_MIGRATE instead." >&2
        _AIRFLOW_DB_MIGRATE="${_AIRFLOW_DB_MIGRATE:-${_AIRFLOW_DB_UPGRADE}}"
    fi
    [[ -n ${_AIRFLOW_DB_MIGRATE-} ]] || return 0
    airflow db migrate || true
}

create_www_user() {
    [[ -n ${_AIRFLOW_WWW_USER_CREATE-} ]] || return 0
    local password
    # The command wins over the value, so that a secret store can override a default.
    if [[ -n ${_AIRFLOW_WWW_USER_PASSWORD_CMD-} ]]; then
        password="$(eval "${_AIRFLOW_WWW_USER_PASSWORD_CMD}")"
    else
        password="${_AIRFLOW_WWW_USER_PASSWORD-}"
    fi
    if [[ -z ${password} ]]; then
        say_error "ERROR! _AIRFLOW_WWW_USER_CREATE needs _AIRFLOW_WWW_USER_PASSWORD or _AIRFLOW_WWW_USER_PASSWORD_CMD"
        exit 1
    fi
    # Airflow 2 always has these users. From 3 on they belong to one of several auth managers.
    if [[ ${AIRFLOW_VERSION} != 2.* ]] && ! airflow config get-value core auth_manager | grep FabAuthManager >/dev/null; then
        echo "Skipping user creation: the auth manager is not FabAuthManager" >&2
        return 0
    fi
    # Fails when the user exists already, which is the normal case on every start but the first.
    airflow users create \
        --username "${_AIRFLOW_WWW_USER_USERNAME:-admin}" \
        --firstname "${_AIRFLOW_WWW_USER_FIRSTNAME:-Airflow}" \
        --lastname "${_AIRFLOW_WWW_USER_LASTNAME:-Admin}" \
        --email "${_AIRFLOW_WWW_USER_EMAIL:-airflowadmin@example.com}" \
        --role "${_AIRFLOW_WWW_USER_ROLE:-Admin}" \
        --password "${password}" || true
}

install_additional_requirements() {
    [[ -n ${_PIP_ADDITIONAL_REQUIREMENTS-} ]] || return 0
    cat >&2 <<'END'

WARNING! _PIP_ADDITIONAL_REQUIREMENTS is set. It is meant for trying things out, not for production.

 Every start of every container repeats this. Build an image that contains the requirements instead.

END
    local requirements=()
    read -r -a requirements <<<"${_PIP_ADDITIONAL_REQUIREMENTS}"
    # Not the pip that is first on root's PATH: that one refuses root, and this is a request for it.
    "${AIRFLOW_USER_HOME_DIR}/.local/bin/pip" install --root-user-action ignore --no-cache-dir "${requirements[@]}"
}

# Prints "HOST PORT" of the URL $1, with the default port of its scheme; nothing when one of the two is unknown.
broker_address() {
    python - "$1" <<'END'
import sys
from urllib.parse import urlsplit

DEFAULT_PORTS = {"redis": 6379, "amqp": 5672, "postgres": 5432, "mysql": 3306, "mssql": 1433}
try:
    url = urlsplit(sys.argv[1])
    host, port = url.hostname, url.port
except ValueError:
    sys.exit()
if port is None:
    port = next((value for scheme, value in DEFAULT_PORTS.items() if url.scheme.startswith(scheme)), None)
if host and port:
    print(host, port)
END
}

# Asking Airflow, and not only the environment, finds a broker that airflow.cfg or a secrets backend names.
wait_for_celery_broker() {
    ((CONNECTION_CHECK_MAX_COUNT > 0)) || return 0
    local executor url address
    executor="$(airflow config get-value core executor)"
    [[ ${executor} == CeleryExecutor ]] || return 0
    url="$(airflow config get-value celery broker_url)"
    address="$(broker_address "${url}")"
    local host="${DB_HOST-}" port="${DB_PORT-}"
    [[ -n ${host} ]] || host="${address%% *}"
    [[ -n ${port} ]] || port="${address##* }"
    if [[ -z ${host} || -z ${port} ]]; then
        echo "The broker's host and port could not be determined from its URL. The connection check is skipped." >&2
        return 0
    fi
    printf 'BACKEND=%s\nDB_HOST=%s\nDB_PORT=%s\n' "${BACKEND:-${url%%:*}}" "${host}" "${port}"
    wait_until nc -zvv "${host}" "${port}"
}

main() {
    check_group
    # What the container writes is for the whole group, like what it found.
    umask 0002
    name_the_user
    set_pythonpath_for_root
    wait_for_database
    migrate_database
    create_www_user
    install_additional_requirements

    case "${1-}" in
    bash)
        shift
        exec /bin/bash "$@"
        ;;
    python)
        shift
        exec python "$@"
        ;;
    airflow)
        shift
        ;;
    esac
    case "${1-}" in
    scheduler | celery) wait_for_celery_broker ;;
    esac
    exec airflow "$@"
}

main "$@"
