# The kernel's share and the load tool's: recv and a fixed send, nothing else.
build() { cc -O2 -pthread -o "$out/floor" bench/peers/floor.c; }
serve() { exec "$out/floor" "$port" "$threads" "$type" "$body"; }
