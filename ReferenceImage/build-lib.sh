# shellcheck shell=bash
# What scripts/reference-image and scripts/mutant share: the cache, the container storage, images as OCI layouts.
# Both run on any account; the storage is the project's own, so that the containers of the user are left alone.

root="$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")"
cache="${XDG_CACHE_HOME:-${HOME}/.cache}/assay"
driver=""

# The time that every file and every history entry of a built image gets.
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1739145600}"
export SOURCE_DATE_EPOCH

step() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    step "$*"
    exit 2
}

# hash_of WORD...: reads the names of files, relative to the project, and prints one digest of their names, modes and
# contents and of the words.
hash_of() {
    local names=()
    mapfile -t names < <(LC_ALL=C sort)
    {
        printf '%s\n' "$@"
        cd "${root}" || exit
        stat --format='%a %n' "${names[@]}"
        sha256sum "${names[@]}"
    } | sha256sum | cut -c 1-16
}

files_below() { (cd "${root}" && find "$@" -type f); }

# One build at a time: two would take the same storage apart.
lock() {
    mkdir -p "${cache}"
    exec 9>"${cache}/reference-image.lock"
    flock --nonblock 9 && return
    step "waiting for another build"
    flock 9
}

# Layers as overlays if this account may mount them, as copies otherwise: that works everywhere and takes more space.
select_storage() {
    [[ -z ${driver} ]] || return 0
    driver=overlay
    builder info >/dev/null 2>&1 || driver=vfs
}

builder() {
    buildah --root "${cache}/storage/${driver}" --runroot "${cache}/storage/${driver}-run" \
        --storage-driver "${driver}" "$@"
}

stored() { printf 'containers-storage:[%s@%s+%s]%s\n' "${driver}" "${cache}/storage/${driver}" \
    "${cache}/storage/${driver}-run" "$1"; }

# build NAME FOLDER ARGUMENT...: builds the Dockerfile of a folder. The Docker format is the one that has a place for
# SHELL; publish turns the result into an OCI image. The log is long, so only the steps the build scripts name are shown.
build() {
    local name="$1" folder="$2" log="${cache}/build.log"
    shift 2
    # What an interrupted build left behind. This one holds the lock, so nobody is working with it.
    builder rm --all >/dev/null 2>&1 || true
    if ! builder bud --isolation chroot --layers --pull=never --format docker --identity-label=false \
        --timestamp "${SOURCE_DATE_EPOCH}" "$@" --tag "${name}" "${folder}" 2>&1 |
        tee "${log}" | { grep --line-buffered '^reference image: ' || true; } >&2; then
        tail -n 40 "${log}" >&2
        die "the build failed; its log is ${log}"
    fi
}

# Puts the config of the OCI layout $1 aside for one that has the SHELL of the stored image $2. Copying to OCI drops it,
# since the specification does not name it; BuildKit writes it into OCI images all the same.
restore_shell() {
    local layout="$1" shell old new manifest
    shell="$(skopeo inspect --config --raw "$(stored "$2")" | jq -c .config.Shell)"
    [[ ${shell} != null ]] || return 0
    blob() { printf '%s/blobs/%s' "${layout}" "${1/://}"; }
    # store FILE: moves it to its digest and prints a patch of its descriptor.
    store() {
        local digest
        digest="sha256:$(sha256sum "$1" | cut -d ' ' -f 1)"
        mv "$1" "$(blob "${digest}")"
        printf '{"digest":"%s","size":%d}' "${digest}" "$(stat --format=%s "$(blob "${digest}")")"
    }
    manifest="$(jq -r '.manifests[0].digest' "${layout}/index.json")"
    old="$(jq -r .config.digest "$(blob "${manifest}")")"
    jq -c --argjson shell "${shell}" '.config.Shell = $shell' "$(blob "${old}")" >"${layout}/config.new"
    new="$(store "${layout}/config.new")"
    jq -c --argjson new "${new}" '.config += $new' "$(blob "${manifest}")" >"${layout}/manifest.new"
    new="$(store "${layout}/manifest.new")"
    jq -c --argjson new "${new}" '.manifests[0] += $new' "${layout}/index.json" >"${layout}/index.new"
    mv "${layout}/index.new" "${layout}/index.json"
    rm -f "$(blob "${old}")" "$(blob "${manifest}")"
}

# publish NAME FOLDER TAG [SHARED]: writes the stored image into FOLDER/oci. The folder appears when it is complete and
# not before. Blobs that the layout SHARED has as well become hard links to its files.
publish() {
    local name="$1" folder="$2" tag="$3" shared="${4-}" temporary file
    mkdir -p "$(dirname "${folder}")"
    rm -rf "${folder}".??????
    temporary="$(mktemp --directory "${folder}.XXXXXX")"
    skopeo copy --quiet "$(stored "${name}")" "oci:${temporary}/oci:${tag}" >&2
    restore_shell "${temporary}/oci" "${name}"
    if [[ -n ${shared} ]]; then
        for file in "${temporary}"/oci/blobs/sha256/*; do
            [[ ! -e ${shared}/blobs/sha256/${file##*/} ]] || ln -f "${shared}/blobs/sha256/${file##*/}" "${file}"
        done
    fi
    chmod 0755 "${temporary}"
    rm -rf "${folder}"
    mv "${temporary}" "${folder}"
}

# Refuses a destination before anything is built for it.
check_output() {
    [[ $1 == oci:?* || $1 == docker-archive:?* || $1 == oci-archive:?* ]] ||
        die "cannot write to $1: expected oci:FOLDER, docker-archive:FILE or oci-archive:FILE"
}

# copy_to FROM DESTINATION NAME:TAG: an archive is written beside its place first, since skopeo changes none in place.
copy_to() {
    local from="$1" destination="$2" reference="$3" path
    path="${destination#*:}"
    step "copying to ${destination}"
    case "${destination}" in
    oci:*)
        mkdir -p "$(dirname "${path}")"
        [[ ${path} == *:* ]] || path="${path}:${from##*:}"
        skopeo copy --quiet "${from}" "oci:${path}" >&2
        ;;
    docker-archive:* | oci-archive:*)
        mkdir -p "$(dirname "${path}")"
        rm -f "${path}.part"
        skopeo copy --quiet "${from}" "${destination%%:*}:${path}.part:${reference}" >&2
        mv "${path}.part" "${path}"
        ;;
    esac
}
