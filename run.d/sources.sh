# Sourced by the verbs, after packages.sh: `need_source NAME` puts the source of a library that boards are built with to
# build/sources/NAME, from the distribution's own source package, and does nothing where it is there already.
# Who has a copy of their own sets DUNLIN_LWIP_ROOT in the environment.

# The archive with the library's own source, as the distribution's source package of this version names it, and its SHA-256.
source_of() {
    case $1 in
        lwip) echo lwip 2.1.3+dfsg1-2 lwip_2.1.3+dfsg1.orig.tar.xz 0a8276d09fc4e97bbba2f953d74af2388fc2195ea156be9d7589e297a68fde24 ;;
        *) echo "run: no source '$1'" >&2 && return 1 ;;
    esac
}

need_source() {
    local name=$1 root_name=DUNLIN_${1^^}_ROOT entry package version archive sha256
    if [[ -n ${!root_name:-} ]]; then return 0; fi
    entry=$(source_of "$name")
    read -r package version archive sha256 <<<"$entry"
    local folder=build/sources/$name
    if [[ -f $folder/.sha256 && $(<"$folder/.sha256") == "$sha256" ]]; then return 0; fi

    need sources
    echo "run: fetching the source of $package $version"
    local work
    work=$(mktemp -d)
    mkdir -p build/sources
    if ! fetch_source "$work" "$package" "$version" "$archive"; then
        rm -rf "$work"
        echo "run: cannot fetch the source package $package $version; unpack the source yourself and set $root_name to its folder" >&2
        return 1
    fi
    if ! echo "$sha256  $work/$archive" | sha256sum --check --status; then
        echo "run: $archive has the SHA-256 $(sha256sum <"$work/$archive" | cut -d' ' -f1), not $sha256: it is not used" >&2
        rm -rf "$work"
        return 1
    fi
    # Moved to its place whole, so that two runs at a time do not see each other's half.
    local unpacked
    unpacked=$(mktemp -d -p build/sources)
    tar -xf "$work/$archive" -C "$unpacked" --strip-components=1
    echo "$sha256" >"$unpacked/.sha256"
    rm -rf "$work" "$folder"
    mv -T "$unpacked" "$folder"
}

# fetch_source FOLDER PACKAGE VERSION ARCHIVE: through apt, from wherever this system's packages come from, without a change to the system:
# its sources with source packages asked for, and lists of our own.
fetch_source() {
    local work=$1 package=$2 version=$3 archive=$4 file
    if ! command -v apt-get >/dev/null; then
        echo "run: this is no Debian-like system" >&2
        return 1
    fi
    mkdir -p "$work/sources" "$work/lists/partial" "$work/cache/archives/partial"
    for file in /etc/apt/sources.list.d/*.sources; do
        if [[ -f $file ]]; then sed -E 's/^Types:.*/Types: deb-src/' "$file" >"$work/sources/${file##*/}"; fi
    done
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        if [[ -f $file ]]; then sed -nE 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file" >"$work/sources/${file##*/}.list"; fi
    done
    local apt=(apt-get -q -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$work/sources" -o "Dir::State::lists=$work/lists"
        -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
    # A source of somebody else's that does not answer is no reason to stop: what is asked for may still be there.
    "${apt[@]}" update >"$work/log" 2>&1 || true
    if ! (cd "$work" && "${apt[@]}" source --download-only "$package=$version" >>"$work/log" 2>&1) || [[ ! -f $work/$archive ]]; then
        tail -n 20 "$work/log" >&2
        return 1
    fi
}
