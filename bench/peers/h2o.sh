# h2o as a library, on its own event loop.
packages="libh2o-evloop-dev libssl-dev"
build() { cc -O2 -pthread -DH2O_USE_LIBUV=0 -o "$out/h2o" bench/peers/h2o.c -lh2o-evloop -lssl -lcrypto; }
serve() { exec "$out/h2o" "$port" "$threads" "$type" "$body"; }
