# fasthttp, Go's fastest server, from Debian.
packages="golang-go golang-github-valyala-fasthttp-dev"
build() {
    GOPATH=/usr/share/gocode GO111MODULE=off GOCACHE=$out/go-cache go build -o "$out/fasthttp" bench/peers/fasthttp.go
}
serve() { exec "$out/fasthttp" "$port" "$threads" "$type" "$body"; }
