#!/usr/bin/env bash
# Helpers that the other build scripts source. Kept in the image, as the released images keep theirs.

# Says what happens now, on stderr, so that a build log reads as a list of steps.
note() { printf '%s\n' "reference image: $*" >&2; }

# apt, without questions and without waiting for the disk after every package: a build that breaks is thrown away.
apt_install() {
    apt-get update --quiet=2
    apt-get install --quiet=2 --yes --no-install-recommends \
        -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Use-Pty=0 "$@" >/dev/null
}

# Leaves nothing in the layer that apt or dpkg can fetch or make again. The last three are caches whose content
# depends on inode numbers or on the order of installation, which would make two equal builds differ.
# Byte code goes too: it records the modification time of its source, and a reproducible layer resets those times.
apt_clean() {
    apt-get clean
    rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /var/cache/apt/*.bin
    rm -rf /var/log/* /tmp/* /var/tmp/* /root/.cache /root/.launchpadlib
    rm -rf /run/adduser
    rm -f /var/cache/ldconfig/aux-cache /var/cache/debconf/*-old /var/lib/dpkg/*-old
    find /usr -type d -name __pycache__ -prune -exec rm -rf {} +
}

# Prints the comma separated list $2 without the item $1. Whole items only: dropping mysql must not touch x-mysql.
list_without() {
    local unwanted="$1" item kept=()
    local -a items
    IFS=, read -r -a items <<<"$2"
    for item in "${items[@]}"; do
        [[ -z ${item} || ${item} == "${unwanted}" ]] || kept+=("${item}")
    done
    local IFS=,
    printf '%s\n' "${kept[*]}"
}
