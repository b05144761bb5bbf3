# libsvc with all that an operator can see: metrics with sizes of bodies, pages below /debug/, spans to the receiver at
# $receiver; or,
# where the workload's stack is "unobserved", with none of it.
packages="libmicrohttpd-dev libjansson-dev libcurl4-openssl-dev"
build() {
    make -s -C "$build" libsvc.la libsvc-otlp.la
    cc -O2 -Iinclude -o "$out/observed" bench/peers/observed.c -L"$build/.libs" -Wl,-rpath,"$build/.libs" \
        -lsvc-otlp -lsvc
}
serve() {
    export SVC_LISTEN=127.0.0.1:$port SVC_ADMIN_LISTEN=127.0.0.1:0 SVC_THREADS=$threads SVC_DRAIN_DELAY_MS=0
    export SVC_LOG_OUTPUT=$work/log OTEL_EXPORTER_OTLP_ENDPOINT=$receiver
    case $stack in
    unobserved) export OBSERVED=none SVC_METRICS=off ;;
    *) export SVC_METRICS_BODY_SIZES=on SVC_DEBUG_PAGES=on ;;
    esac
    exec "$out/observed"
}
