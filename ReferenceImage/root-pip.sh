#!/usr/bin/env bash
# First pip on root's PATH. As root, pip would write into the environment that belongs to the user airflow, and what it
# writes there the user could not change. Anyone else gets the real one.
if [[ $(id -u) == 0 ]]; then
    printf '\n\033[1;31mpip must not run as root in this image.\033[0m\n' >&2
    printf 'Switch to the user first: USER airflow in a Dockerfile, --user airflow on a command line.\n\n' >&2
    exit 1
fi
exec "${HOME}/.local/bin/pip" "$@"
