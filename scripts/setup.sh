#!/usr/bin/env bash
# Installs what `make demo`, `make test`, `make bench`, `make wheel` or `make nuget` needs and this machine lacks, and says so in one line;
# when nothing is missing it says nothing. For Debian and Ubuntu, as root or with sudo. No daemon starts by it.
#
# usage: scripts/setup.sh demo|test|bench|wheel|nuget
set -euo pipefail

RUST_AT_LEAST=1.88

what=${1:-}
case $what in
    demo | test | bench | wheel | nuget) ;;
    *) echo "usage: scripts/setup.sh demo|test|bench|wheel|nuget" >&2; exit 2 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH=$PATH:/usr/sbin:/sbin:${HOME:-/root}/.cargo/bin
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

have() { command -v "$1" >/dev/null 2>&1; }

# --- the Debian packages ------------------------------------------------------------------------------------------------
missing=()
need() { # PACKAGE, then a command that succeeds when it is there
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}
has_header() { printf '#include <%s>\n' "$1" | gcc -E -x c - >/dev/null 2>&1; }
has_loader_symbols() { # valgrind needs them, and Debian ships them apart
    [ -d /usr/lib/debug/.build-id ] || [ -n "$(readelf -S /lib64/ld-linux-x86-64.so.2 2>/dev/null | grep -w '.symtab')" ]
}

need gcc have gcc
need libc6-dev has_header stdio.h
if [ "$what" = bench ]; then
    need libcurl4-openssl-dev has_header curl/curl.h
    need libesmtp-dev has_header libesmtp.h
    need libssl-dev has_header openssl/ssl.h
    need postfix have postfix
    need openssl have openssl
    need python3 python3 -c 'import smtplib, ssl'
    need util-linux have taskset
fi
if [ "$what" = wheel ] || [ "$what" = nuget ]; then
    need binutils have readelf
    need python3 have python3
    need python3-venv python3 -c 'import ensurepip, venv'
fi
if [ "$what" = nuget ]; then
    need mono-mcs have mcs
    need mono-runtime have mono
    need libmono-system-core4.0-cil test -e /usr/lib/mono/4.5/System.Core.dll
fi
if [ "$what" = test ]; then
    need g++ have g++
    need binutils have readelf
    need clang have clang
    need valgrind have valgrind
    need libc6-dbg has_loader_symbols
    need strace have strace
    need python3 python3 -c 'import ctypes, email, smtplib, unittest'
    # Python's own tests of smtplib: Debian has them apart, other builds bring them along.
    if [[ $(readlink -f "$(command -v python3 || true)") == /usr/bin/python3.* ]]; then
        need "lib$(basename "$(readlink -f "$(command -v python3)")")-testsuite" python3 -W ignore -c 'import test.test_smtplib'
    fi
    need python3-venv python3 -c 'import ensurepip, venv'
    need python3-cryptography python3 -c 'import cryptography'
    need mono-mcs have mcs
    need mono-runtime have mono
    need libmono-system-core4.0-cil test -e /usr/lib/mono/4.5/System.Core.dll
    need libmime-tools-perl perl -MMIME::Parser -e 1
    need openssl have openssl
    need default-jdk-headless have javac
    need gpgsm have gpgsm
    need libnss3-tools have cmsutil
    need libbcprov-java test -e /usr/share/java/bcprov.jar
    need putty-tools have puttygen
    need openssh-client have ssh-keygen
    need libbcpkix-java test -e /usr/share/java/bcpkix.jar
    need softhsm2 have softhsm2-util
    need opensc have pkcs11-tool
    need cmake have cmake
    need pkg-config have pkg-config
    need groff-base have groff
    need postfix have postfix
    need dovecot-core have dovecot
    need dovecot-submissiond test -x /usr/lib/dovecot/submission
    need dovecot-gssapi test -e /usr/lib/dovecot/modules/auth/libmech_gssapi.so
    need python3-celery /usr/bin/python3 -c 'import celery'
    need python3-redis /usr/bin/python3 -c 'import redis'
    need redis-server have redis-server
    need krb5-kdc have krb5kdc
    need krb5-admin-server have kadmin.local
    need krb5-user have kinit
    need squid have squid
    need tinyproxy have tinyproxy
    need dante-server have danted
    need microsocks have microsocks
    need sasl2-bin have saslpasswd2
    need libsasl2-modules compgen -G '/usr/lib/*/sasl2/libntlm.so'
    need libsasl2-modules-db compgen -G '/usr/lib/*/sasl2/libsasldb.so'
fi

# Rust: what is there if it is new enough, else the distribution's rustup where it has one.
rust_version() { rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9][0-9.]*\).*/\1/p'; }
new_enough() { have cargo && [ "$(printf '%s\n' "$RUST_AT_LEAST" "$(rust_version)" | sort -V | head -n 1)" = "$RUST_AT_LEAST" ]; }
rust_missing=no
if ! new_enough; then
    rust_missing=yes
    have rustup || missing+=(rustup)
fi

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -- "$@"; fi
}

no_rust() {
    echo "libssmtp needs Rust $RUST_AT_LEAST or newer (cargo and rustc); this machine has $(rust_version | grep . || echo none)." >&2
    echo "The distribution's own rustc is older and it has no rustup package: install Rust as https://rustup.rs says, then run make again." >&2
    exit 1
}

# A package that is installed starts its service unless policy-rc.d says no (101). What lay there before comes back.
POLICY=/usr/sbin/policy-rc.d
forbid_services() {
    if as_root test -e "$POLICY"; then as_root cp -p "$POLICY" "$work/policy-rc.d"; fi
    printf '#!/bin/sh\nexit 101\n' >"$work/refuse"
    chmod 755 "$work/refuse"
    trap 'allow_services; rm -rf "$work"' EXIT
    as_root install -m 755 "$work/refuse" "$POLICY"
}
allow_services() {
    if [ -e "$work/policy-rc.d" ]; then
        as_root cp -p "$work/policy-rc.d" "$POLICY"
    else
        as_root rm -f "$POLICY"
    fi
}

quietly() { # a command whose output is shown only when it fails
    if ! "$@" >"$work/log" 2>&1 </dev/null; then
        tail -n 30 "$work/log" >&2
        return 1
    fi
}

if [ ${#missing[@]} -gt 0 ]; then
    have apt-get || { echo "missing: ${missing[*]} (this script knows apt-get only)" >&2; exit 1; }
    if [ "$(id -u)" -ne 0 ] && ! have sudo; then
        echo "missing: ${missing[*]}. Run this as root, or install them: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    quietly as_root apt-get -q update || true # old lists may do; if not, the next step says so
    if [[ " ${missing[*]} " == *" rustup "* ]] && [ -z "$(apt-cache policy rustup | sed -n 's/^ *Candidate: //p' | grep -vx '(none)')" ]; then
        no_rust
    fi
    echo "Installing with apt-get: ${missing[*]}"
    forbid_services
    quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}" ||
        { echo "apt-get could not install: ${missing[*]}" >&2; exit 1; }
fi

# --- Exim, which Postfix excludes: unpacked, not installed ---------------------------------------------------------------
EXIM=target/exim
libraries_of() { # PACKAGE: those that it needs, directly or not, and that are not installed
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$1" |
        grep -E '^lib[^:<]*$' | sort -u |
        while read -r package; do
            dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
        done
}
unpack_exim() {
    local packages
    mapfile -t packages < <(libraries_of exim4-daemon-heavy)
    mkdir "$work/exim"
    (cd "$work/exim" && apt-get -q download exim4-daemon-heavy libnss-wrapper "${packages[@]}") || return 1
    rm -rf "$EXIM"
    mkdir -p "$EXIM"
    for package in "$work"/exim/*.deb; do dpkg-deb -x "$package" "$EXIM" || return 1; done
}
if [ "$what" = test ] && [ ! -f $EXIM/usr/sbin/exim4 ] && have apt-get; then
    echo "Unpacking from its package, without installing it: exim4-daemon-heavy"
    [ ${#missing[@]} -gt 0 ] || quietly as_root apt-get -q update || true
    quietly unpack_exim || { rm -rf "$EXIM"; echo "Exim could not be unpacked" >&2; exit 1; }
fi

# --- Python's cryptography, newer than the distribution's, for the S/MIME tests -------------------------------------------
CRYPTOGRAPHY=48.0.0
reads_cms() { "$1" -c 'from cryptography.hazmat.primitives.serialization.pkcs7 import pkcs7_decrypt_der'; }
own_python() {
    python3 -m venv target/smime-venv && target/smime-venv/bin/pip install --quiet --disable-pip-version-check "cryptography==$CRYPTOGRAPHY"
}
if [ "$what" = test ] && ! reads_cms python3 >/dev/null 2>&1 && ! reads_cms target/smime-venv/bin/python >/dev/null 2>&1; then
    echo "Installing into target/smime-venv: cryptography $CRYPTOGRAPHY"
    quietly own_python
fi

# --- Django, the type checkers and the checker of wheels, for the tests of the Python package ------------------------------
python_tools() {
    python3 -m venv target/python-venv &&
        target/python-venv/bin/pip install --quiet --disable-pip-version-check \
            Django==5.2.19 mypy==2.4.1 'pyright[nodejs]==1.1.414' auditwheel==6.8.2
}
if [ "$what" = test ] && ! target/python-venv/bin/python -c 'import django, mypy, pyright, auditwheel' >/dev/null 2>&1; then
    echo "Installing into target/python-venv: Django, mypy, pyright, auditwheel"
    quietly python_tools
fi

# --- .NET 8 and the .NET SDK, for the tests of the C# layer ---------------------------------------------------------------
fetch_dotnet() { # PART FOLDER WORDS
    if [ "$what" = test ] && [ "$(uname -m)" = x86_64 ] && [ ! -d "target/$2" ]; then
        echo "Unpacking into target/$2: $3"
        quietly python3 bindings/dotnet/fetch.py "$1" || echo "$3 cannot be had: the step coreclr goes without" >&2
    fi
}
fetch_dotnet runtime net8 "the runtime of .NET 8"
fetch_dotnet sdk dotnet-sdk "the .NET SDK"

# --- zig, whose linker knows every glibc: scripts/portable.sh -------------------------------------------------------------
ZIG=0.17.0
own_zig() {
    python3 -m venv target/zig &&
        target/zig/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --only-binary :all: "ziglang==$ZIG"
}
case $what in
    test | wheel | nuget)
        if [ "$(target/zig/bin/python -m ziglang version 2>/dev/null)" != $ZIG ]; then
            echo "Installing into target/zig: zig $ZIG"
            quietly own_zig || { rm -rf target/zig; echo "zig cannot be had: the packages will need this machine's glibc" >&2; }
        fi
        ;;
esac

# --- the vectors of Python's cryptography: data that the tests of the certificate readers read ----------------------------
VECTORS=48.0.0
fetch_vectors() {
    python3 -m venv "$work/pip" &&
        "$work/pip/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d "$work/wheel" "cryptography_vectors==$VECTORS" &&
        python3 -m zipfile -e "$work"/wheel/*.whl "$work/vectors" || return 1
    mkdir -p target
    rm -rf "target/vectors-$VECTORS"
    mv "$work/vectors" "target/vectors-$VECTORS"
}
if [ "$what" = test ] && [ ! -d "target/vectors-$VECTORS/cryptography_vectors" ]; then
    echo "Unpacking into target/vectors-$VECTORS: cryptography_vectors $VECTORS"
    quietly fetch_vectors || { echo "cryptography_vectors could not be fetched" >&2; exit 1; }
fi

# --- Rust ---------------------------------------------------------------------------------------------------------------
if [ $rust_missing = yes ]; then
    have rustup || no_rust
    echo "Installing with rustup: the stable toolchain"
    quietly rustup toolchain install stable --profile minimal || no_rust
    quietly rustup default stable || no_rust
    new_enough || no_rust
fi
if [ "$what" = test ]; then
    components=()
    cargo fmt --version >/dev/null 2>&1 || components+=(rustfmt)
    cargo clippy --version >/dev/null 2>&1 || components+=(clippy)
    if [ ${#components[@]} -gt 0 ]; then
        have rustup || { echo "missing: ${components[*]} (install them beside your cargo)" >&2; exit 1; }
        echo "Installing with rustup: ${components[*]}"
        quietly rustup component add "${components[@]}"
    fi
fi
