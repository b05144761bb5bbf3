# Go's net/http.
packages="golang-go"
build() { GOCACHE="$out/go-cache" GO111MODULE=off go build -o "$out/go" bench/peers/go.go; }
serve() { exec "$out/go" "$port" "$threads" "$type" "$body"; }
