# libsvc with 10,000 series of one shape; its page of metrics is at $port, its service at $service_port.
packages="libmicrohttpd-dev libjansson-dev zlib1g-dev golang-go"
build() {
    make -s -C "$build" libsvc.la
    cc -O2 -Iinclude -o "$out/scrape" bench/peers/scrape.c -L"$build/.libs" -Wl,-rpath,"$build/.libs" -lsvc -lpthread
    GO111MODULE=off GOCACHE=$out/go-cache go build -o "$out/openloop" bench/openloop.go
}
serve() {
    export SVC_LISTEN=127.0.0.1:$service_port SVC_ADMIN_LISTEN=127.0.0.1:$port SVC_THREADS=$threads
    export SVC_DRAIN_DELAY_MS=0 SVC_DRAIN_TIMEOUT_MS=1000 SVC_LOG_OUTPUT=$work/log SVC_SEND_TIMEOUT_MS=5000
    exec "$out/scrape" "$shape"
}
