# The least that a library on libmicrohttpd can cost.
packages="libmicrohttpd-dev"
build() { cc -O2 -o "$out/lean" bench/peers/lean.c -lmicrohttpd; }
serve() { exec "$out/lean" "$port" "$type" "$body"; }
