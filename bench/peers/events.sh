# A topic of libsvc's: listeners of /events get what /publish makes.
packages="libmicrohttpd-dev libjansson-dev"
build() {
    make -s -C "$build" libsvc.la
    cc -O2 -Iinclude -o "$out/events" bench/peers/events.c -L"$build/.libs" -Wl,-rpath,"$build/.libs" -lsvc
}
serve() {
    export SVC_LISTEN=127.0.0.1:$port SVC_ADMIN_LISTEN= SVC_THREADS=$threads SVC_DRAIN_DELAY_MS=0
    export SVC_MAX_CONNECTIONS=20000 SVC_LOG_OUTPUT=$work/log
    export SVC_ACCESS_LOG=off SVC_REQUEST_ID=off SVC_METRICS=off
    exec "$out/events"
}
