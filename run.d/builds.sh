# Sourced by the scripts of run.d/.

# built PRESET "TARGET..." [OPTION...]: what CMake's preset of that name makes, in build/PRESET; OPTIONs are those of cmake.
built() {
    local preset=$1 targets
    read -ra targets <<<"$2"
    shift 2
    echo "run: building $preset" >&2
    cmake --preset "$preset" "$@" >/dev/null
    cmake --build --preset "$preset" --target "${targets[@]}" -- --quiet
}
