# libsvc; the workload says which parts of the default stack are on.
packages="libmicrohttpd-dev libjansson-dev"
build() {
    make -s -C "$build" libsvc.la examples/hello
    cc -O2 -Iinclude -o "$out/svc" bench/peers/svc.c -L"$build/.libs" -Wl,-rpath,"$build/.libs" -lsvc
    cc -O2 -Iinclude -o "$out/hello" examples/hello.c -L"$build/.libs" -Wl,-rpath,"$build/.libs" -lsvc
}
serve() {
    export SVC_LISTEN=127.0.0.1:$port SVC_ADMIN_LISTEN=${admin-} SVC_THREADS=$threads SVC_DRAIN_DELAY_MS=0
    export SVC_MAX_CONNECTIONS=20000 SVC_LOG_OUTPUT=${log:-$work/log}
    case $stack in
    none) export SVC_ACCESS_LOG=off SVC_REQUEST_ID=off SVC_METRICS=off ;;
    esac
    [ -z "${library-}" ] || export LD_LIBRARY_PATH=$library
    [ -z "${preload-}" ] || export LD_PRELOAD=$preload
    case $path in
    /hello/*) exec "$out/hello" ;;
    *) exec "$out/svc" "$type" "$body" ;;
    esac
}
