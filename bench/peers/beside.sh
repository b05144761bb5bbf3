# A service that reads keys of a store, and has a route that asks nobody; and the load for it.
packages="libmicrohttpd-dev libjansson-dev libhiredis-dev redis-server memcached golang-go"
build() {
    make -s -C "$build" tests/shared/server_store
    GO111MODULE=off GOCACHE=$out/go-cache go build -o "$out/openloop" bench/openloop.go
}
serve() {
    export SVC_LISTEN=127.0.0.1:$port SVC_ADMIN_LISTEN= SVC_THREADS=1 SVC_DRAIN_DELAY_MS=0
    export SVC_DRAIN_TIMEOUT_MS=1000 SVC_LOG_OUTPUT=$work/log SVC_STORE=$store
    exec "$build/tests/shared/server_store"
}
