#!/usr/bin/env bash
# Makes the virtual environment and installs Airflow with its extras into it. Runs in the build stage only.
set -euo pipefail
# shellcheck source=ReferenceImage/scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly venv="${AIRFLOW_USER_HOME_DIR}/.local"
readonly constraints="${AIRFLOW_USER_HOME_DIR}/constraints.txt"
readonly wheels=/tmp/wheels

extras() {
    local list="${AIRFLOW_EXTRAS}"
    [[ -z ${ADDITIONAL_AIRFLOW_EXTRAS} ]] || list="${list:+${list},}${ADDITIONAL_AIRFLOW_EXTRAS}"
    [[ ${INSTALL_MYSQL_CLIENT} == true ]] || list="$(list_without mysql "${list}")"
    [[ ${INSTALL_POSTGRES_CLIENT} == true ]] || list="$(list_without postgres "${list}")"
    printf '%s\n' "${list:+[${list}]}"
}

make_environment() {
    python -m venv "${venv}"
    "${venv}/bin/pip" install --quiet --no-compile --upgrade "pip==${AIRFLOW_PIP_VERSION}"
    "${venv}/bin/pip" install --quiet --no-compile "uv==${AIRFLOW_UV_VERSION}"
}

# pip fetches and builds one distribution after the other and mostly waits. The constraints name all of them, so several
# pips can work on them at a time; installing from a folder of wheels is then quick.
fetch_wheels() {
    grep -v '^#' "${constraints}" |
        xargs --max-procs=8 --max-args=6 "${venv}/bin/pip" wheel --quiet --no-deps --no-cache-dir --wheel-dir "${wheels}"
}

# pip or uv, as AIRFLOW_USE_UV says: the INSTALLER file of every distribution then tells the truth about the claim.
install() {
    local flags=()
    read -r -a flags <<<"${ADDITIONAL_PIP_INSTALL_FLAGS}"
    if [[ ${AIRFLOW_USE_UV} == true ]]; then
        VIRTUAL_ENV="${venv}" "${venv}/bin/uv" pip install --quiet "${flags[@]}" "$@"
    else
        "${venv}/bin/pip" install --quiet --no-compile --progress-bar off "${flags[@]}" "$@"
    fi
}

install_distributions() {
    local pinned additional=()
    pinned="apache-airflow$(extras)==${AIRFLOW_VERSION}"
    note "installing ${pinned}"
    if [[ ${AIRFLOW_USE_UV} == true ]]; then
        install --constraint "${constraints}" "${pinned}"
    else
        fetch_wheels
        # The index is needed only when extras were asked for that the constraints do not cover.
        install --no-index --find-links "${wheels}" --constraint "${constraints}" "${pinned}" ||
            install --find-links "${wheels}" --constraint "${constraints}" "${pinned}"
        rm -rf "${wheels}"
    fi
    read -r -a additional <<<"${ADDITIONAL_PYTHON_DEPS}"
    if ((${#additional[@]} > 0)); then
        note "installing ${ADDITIONAL_PYTHON_DEPS}"
        install "${additional[@]}" "${pinned}"
    fi
    "${venv}/bin/pip" check
}

# The group gets what the owner has, so that any user ID with group 0 may use and extend the environment. Done here, in
# the stage that is thrown away: changing modes after the copy would store the largest layer twice.
finish_environment() {
    find "${venv}" -type f -name '*.py[co]' -delete
    find "${venv}" -type d -name __pycache__ -prune -exec rm -rf {} +
    chmod -R g=u "${AIRFLOW_USER_HOME_DIR}"
    rm -rf /root/.cache
}

# A few distributions have no wheel. Nobody will debug them, and -O2 doubles the time of generated code.
export CFLAGS="-g0 -O1"
umask 0022
make_environment
install_distributions
finish_environment
