# Functions for scripts/run, scripts/check, scripts/fuzz and scripts/repeat, which source this file.

# Everything is built under build/, which automake refuses while the source folder is configured too.
refuse_configured_source() {
    [ -f config.status ] || return 0
    echo "$0: the source folder itself is configured (by a ./configure here), and builds in other" \
        "folders then fail. Run \`make distclean\` first, then this again." >&2
    exit 2
}

# Runs a command that loads something from the network: up to three times, since one load may fail for no fault of
# ours.
load() { # command...
    local tries=3
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        echo "Once more: $*"
        sleep 5
    done
}

# Installs those of the given Debian packages that are missing. Debian would start their services at once:
# policy-rc.d forbids that, and tests start the programs that they need, on ports of their own. This is a
# subshell, whose end removes the file in any case.
install_packages() (
    missing=$(for package in "$@"; do
        dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
            echo "$package"
    done)
    [ -n "$missing" ] || return 0
    sudo=
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    echo "Installing:" $missing
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        trap '$sudo rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' | $sudo install -m 755 /dev/stdin /usr/sbin/policy-rc.d
    fi
    load install_by_apt $missing
)

# An index that apt could not load is no error of `update`, but of what follows.
install_by_apt() { # package...
    $sudo apt-get update -qq &&
        $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 \
            --no-install-recommends "$@" > /dev/null
}

build_packages="gcc g++ make autoconf automake libtool pkg-config libmicrohttpd-dev libjansson-dev zlib1g-dev libhiredis-dev libsodium-dev libzstd-dev libbrotli-dev"
fuzzing_options="--enable-fuzzing --enable-werror --disable-hardening CFLAGS=-O1 CC=clang CXX=clang++"
test_packages="clang libclang-rt-dev libcriterion-dev libcurl4-openssl-dev libgoogle-perftools-dev memcached curl zstd brotli openssl xz-utils binutils valgrind python3 python3-aiohttp python3-jsonschema python3-prometheus-client nginx-light redis-server redis-sentinel"

# Makes configure when it is missing or older than its sources.
make_configure() {
    if [ ! -f configure ] || [ -n "$(find configure.ac Makefile.am m4 -newer configure -name '*.[am][cm4]*' | head -1)" ]; then
        ./autogen.sh > /dev/null
    fi
}

# What tests/run has counted: why tests were skipped, and how many passed, failed and were skipped. Fails
# when a test has failed, or none was there.
sum_counts() { # file
    awk '/^COUNT / { passed += $2; failed += $3; skipped += $4 }
        /^SKIP / { reasons[substr($0, 6)]++ }
        END {
            for (reason in reasons) printf "    skipped %d times: %s\n", reasons[reason], reason
            printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped
            exit failed > 0 || passed == 0
        }' "$1"
}
