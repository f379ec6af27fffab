#!/usr/bin/env bash
# Keeps a scheduler running: starts it again a second after it failed, and stops when it ends by itself.
until airflow scheduler; do
    status=$?
    echo "The scheduler ended with exit code ${status}. Starting it again." >&2
    date >&2
    sleep 1
done
