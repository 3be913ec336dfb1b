# Sourced by the verbs: `need GROUP...` installs what is missing of these groups of Debian packages.

packages_of() {
    case $1 in
        build) echo g++ cmake ninja-build ccache libflatbuffers-dev flatbuffers-compiler libasio-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libspdlog-dev ;;
        python) echo python3 ;;
        tests) echo libgtest-dev libgmock-dev python3 git patch spin ;;
        model) echo spin g++ python3 ;;
        mutants) echo python3 patch ;;
        cross) echo gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm ;;
        sources) echo xz-utils ;;
        arm_linux) echo g++-arm-linux-gnueabihf g++-aarch64-linux-gnu qemu-user-static googletest ;;
        clang) echo clang libclang-rt-dev ;;
        lint) echo clang clang-format clang-tidy python3 git ;;
        bench) echo libbenchmark-dev util-linux ;;
        bench_zeromq) echo libzmq3-dev ;;
        bench_nng) echo libnng-dev ;;
        bench_cyclone) echo cyclonedds-dev cyclonedds-tools ;;
        bench_mosquitto) echo libmosquitto-dev mosquitto ;;
        bench_nats) echo libnats-dev nats-server ;;
        bench_etcd) echo etcd-server libnghttp2-dev ;;
        *) echo "run: no package group '$1'" >&2 && return 1 ;;
    esac
}

need() {
    local wanted=() missing=() package as_root=()
    for package in $(for group in "$@"; do packages_of "$group"; done); do wanted+=("$package"); done
    if ! command -v dpkg-query apt-get >/dev/null; then
        echo "run: this is no Debian-like system; these packages (or their like) must be installed: ${wanted[*]}" >&2
        return 0
    fi
    local installed
    installed=" $(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | tr '\n' ' ')"
    for package in "${wanted[@]}"; do
        [[ $installed == *" $package "* ]] || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then return 0; fi

    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "run: missing packages: ${missing[*]}" >&2
            echo "run: install them with apt-get as root, or install sudo, and try again" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "run: installing ${missing[*]}"
    local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
    "${apt[@]}" update >/dev/null
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
}
