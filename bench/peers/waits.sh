# examples/waits.c: the path says whether a worker sleeps or a timer is set. Workers that were needed in
# one round are still there in the next.
packages="libmicrohttpd-dev libjansson-dev"
build() {
    make -s -C "$build" libsvc.la
    cc -O2 -Iinclude -o "$out/waits" examples/waits.c -L"$build/.libs" -Wl,-rpath,"$build/.libs" -lsvc
}
serve() {
    export SVC_LISTEN=127.0.0.1:$port SVC_ADMIN_LISTEN= SVC_THREADS=$threads SVC_DRAIN_DELAY_MS=0
    export SVC_MAX_CONNECTIONS=20000 SVC_WORKERS_MAX=$workers SVC_WORKER_IDLE_MS=600000
    export SVC_LOG_OUTPUT=$work/log SVC_ACCESS_LOG=off SVC_REQUEST_ID=off SVC_METRICS=off
    exec env $settings "$out/waits"
}
