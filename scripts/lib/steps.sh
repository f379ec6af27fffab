# shellcheck shell=bash
# What scripts/test, scripts/mutants, scripts/demo and scripts/bench share: steps with their seconds, and the release binary.

root="$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")"
# shellcheck disable=SC2034  # The scripts that read this file use it.
cache="${XDG_CACHE_HOME:-${HOME}/.cache}/assay"
# Another place for what the compiler makes, as --scratch-path of swift build.
scratch="${ASSAY_SCRATCH_PATH:-${root}/.build}"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# step WHAT COMMAND ARGUMENT...: says what is done, runs the command and says how long it took.
step() {
    local what="$1" start="${SECONDS}" code=0
    shift
    say "${what} …"
    "$@" || code=$?
    if ((code == 0)); then say "${what}: $((SECONDS - start)) s"; else say "${what}: failed after $((SECONDS - start)) s"; fi
    return "${code}"
}

require_swift() {
    command -v swift >/dev/null && return
    say "there is no swift on PATH: install a toolchain of Swift 6.2 or newer from https://www.swift.org/install"
    exit 2
}

release_flags=(--configuration release --static-swift-stdlib --product assay)

build_release() { swift_build "${release_flags[@]}"; }

# The compiler's progress is for a terminal; elsewhere only what went wrong is of use.
swift_build() {
    local log
    if [[ -t 2 ]]; then
        swift build --package-path "${root}" --scratch-path "${scratch}" "$@" >&2
        return
    fi
    log="$(mktemp)"
    if ! swift build --package-path "${root}" --scratch-path "${scratch}" "$@" >"${log}" 2>&1; then
        grep --invert-match '^\[[0-9]*/[0-9]*\]' "${log}" >&2 || true
        rm -f "${log}"
        return 1
    fi
    rm -f "${log}"
}

# Prints the path of the release binary.
release_binary() {
    printf '%s/assay\n' \
        "$(swift build --package-path "${root}" --scratch-path "${scratch}" --configuration release --show-bin-path)"
}

# Builds what is in ReferenceImage/mutants: ${mutants} gets a line NAME=oci:PATH:TAG for each. Commands of a step say
# themselves what ends it: errexit does not hold inside of one.
build_mutants() {
    local folder name built
    mutants=""
    for folder in "${root}"/ReferenceImage/mutants/*/; do
        name="$(basename "${folder}")"
        built="$("${root}/scripts/mutant" "${name}")" || return
        mutants+="${name}=${built}"$'\n'
    done
}
