# Go's Prometheus client library, from Debian, with the same series.
packages="golang-go golang-github-prometheus-client-golang-dev"
build() {
    GOPATH=/usr/share/gocode GO111MODULE=off GOCACHE=$out/go-cache go build -o "$out/go-scrape" bench/peers/go-scrape.go
}
serve() { exec "$out/go-scrape" "$port" "$shape"; }
