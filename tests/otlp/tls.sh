#!/bin/bash
# Exports over TLS: to a receiver whose certificate is trusted, and to none whose certificate is not; with a
# certificate of the exporter's own where the receiver asks for one.
set -eu
for program in openssl python3; do
    command -v $program > /dev/null || { echo "SKIP: $program is not installed"; exit 77; }
done
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" || true; rm -rf "$work"' EXIT
cd "$work"

make_certificate() { # file subject signer-or-nothing options...
    local name=$1 subject=$2 signer=$3
    shift 3
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$subject" \
        -keyout "$name.key" -out "$name.pem" ${signer:+-CA "$signer.pem" -CAkey "$signer.key"} "$@" 2>> openssl.log ||
        { cat openssl.log; exit 1; }
}
make_certificate authority authority ""
make_certificate other "another authority" ""
make_certificate server receiver authority -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=CA:FALSE
make_certificate client exporter authority -addext basicConstraints=CA:FALSE
cat server.key >> server.pem

start_receiver() { # arguments...
    [ -z "$pid" ] || kill "$pid"
    : > received
    python3 "$top_srcdir/tests/otlp/tls.py" "$@" > received 2> errors &
    pid=$!
    for _ in {1..600}; do
        ! grep -q listening received || break
        kill -0 "$pid" || break
        read -rt 0.1 <> <(:) || true
    done
    url=$(sed -n 's/^listening //p' received)
    [ -n "$url" ] || { echo "The receiver does not listen"; cat errors; exit 1; }
}

send() { # variables...
    env OTEL_EXPORTER_OTLP_ENDPOINT="$url" OTEL_BSP_SCHEDULE_DELAY=1 "$@" "$top_builddir/tests/otlp/send" > sent 2>&1
}

expect_sent() { # subject variables...
    local subject=$1
    shift
    send "$@" || { echo "Nothing is sent with $*:"; cat sent; exit 1; }
    grep -qx "request /v1/traces $subject" received || { echo "No such client: $subject"; cat received; exit 1; }
}

expect_refused() { # variables...
    ! send OTEL_BSP_EXPORT_TIMEOUT=300 "$@" || { echo "Something is sent with $*"; exit 1; }
    grep -q 'sent 0, rejected 0, failed 2' sent || { cat sent; exit 1; }
    ! grep -q request received || { echo "The receiver has a request with $*"; exit 1; }
}

start_receiver server.pem
expect_refused A=b
expect_refused OTEL_EXPORTER_OTLP_CERTIFICATE=other.pem
expect_refused OTEL_EXPORTER_OTLP_CERTIFICATE="$work/nowhere.pem"
expect_sent nobody OTEL_EXPORTER_OTLP_CERTIFICATE=authority.pem
expect_sent nobody OTEL_EXPORTER_OTLP_CERTIFICATE=other.pem OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE=authority.pem

start_receiver server.pem authority.pem
expect_refused OTEL_EXPORTER_OTLP_CERTIFICATE=authority.pem
expect_refused OTEL_EXPORTER_OTLP_CERTIFICATE=authority.pem OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=other.pem \
    OTEL_EXPORTER_OTLP_CLIENT_KEY=other.key
expect_sent exporter OTEL_EXPORTER_OTLP_CERTIFICATE=authority.pem \
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=client.pem OTEL_EXPORTER_OTLP_CLIENT_KEY=client.key
