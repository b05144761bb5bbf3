# libsvc with its default stack, but for a log line of each request, which NGINX does not write either.
packages="libmicrohttpd-dev libjansson-dev"
build() {
    make -s -C "$build" libsvc.la
    cc -O2 -Iinclude -o "$out/svc-files" bench/peers/svc-files.c -L"$build/.libs" -Wl,-rpath,"$build/.libs" -lsvc
}
serve() {
    export SVC_LISTEN=127.0.0.1:$port SVC_ADMIN_LISTEN= SVC_THREADS=$threads SVC_DRAIN_DELAY_MS=0
    export SVC_LOG_OUTPUT=$work/log SVC_ACCESS_LOG=off
    exec "$out/svc-files" "$files"
}
