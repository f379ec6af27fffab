#!/usr/bin/env bash
# Deletes old task logs for ever: files older than AIRFLOW__LOG_RETENTION_DAYS days (15), then folders left empty.
# Meant to run beside the scheduler, in a container of its own.
set -euo pipefail

readonly logs="${AIRFLOW_HOME:-/opt/airflow}/logs"
readonly retention_days="${AIRFLOW__LOG_RETENTION_DAYS:-15}"
readonly pause_seconds=900

# TERM must end the script at once and not after the pause.
trap 'exit 0' INT TERM

while true; do
    echo "Removing logs older than ${retention_days} days from ${logs}"
    # lost+found belongs to the file system when logs is a volume of its own.
    find "${logs}" -name lost+found -prune -o -type f -mtime "+${retention_days}" -exec rm -f {} + || true
    find "${logs}" -mindepth 1 -name lost+found -prune -o -type d -empty -exec rmdir --ignore-fail-on-non-empty {} + || true
    sleep "${pause_seconds}" &
    wait $!
done
