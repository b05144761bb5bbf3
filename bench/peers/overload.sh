# A service to be overloaded, and the load for it; `limit` and `queue_ms` say how it protects itself.
packages="libmicrohttpd-dev libjansson-dev golang-go"
build() {
    make -s -C "$build" libsvc.la
    cc -O2 -Iinclude -o "$out/overload" bench/peers/overload.c -L"$build/.libs" \
        -Wl,-rpath,"$build/.libs" -lsvc -lpthread
    GO111MODULE=off GOCACHE=$out/go-cache go build -o "$out/openloop" bench/openloop.go
}
# As many workers as requests come: what nothing holds back, as with a goroutine for each.
serve() {
    export SVC_LISTEN=127.0.0.1:$port SVC_ADMIN_LISTEN= SVC_THREADS=1 SVC_DRAIN_DELAY_MS=0
    export SVC_DRAIN_TIMEOUT_MS=1000 SVC_MAX_CONNECTIONS=20000 SVC_LOG_OUTPUT=$work/log
    export SVC_WORKERS_MAX=2000 SVC_WORKER_QUEUE=1000000 SVC_WORKER_QUEUE_MS=86400000
    export OVERLOAD_LIMIT=$limit OVERLOAD_QUEUE_MS=$queue_ms
    exec "$out/overload"
}
