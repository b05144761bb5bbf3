# libmicrohttpd by itself, as its manual sets it up.
packages="libmicrohttpd-dev"
build() { cc -O2 -o "$out/mhd" bench/peers/mhd.c -lmicrohttpd; }
serve() { exec "$out/mhd" "$port" "$threads" "$type" "$body"; }
