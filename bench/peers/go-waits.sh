# Go's net/http with a handler that sleeps.
packages="golang-go"
build() { GOCACHE="$out/go-cache" GO111MODULE=off go build -o "$out/go-waits" bench/peers/go-waits.go; }
serve() { exec "$out/go-waits" "$port" "$threads"; }
