// Load as the world sends it: requests leave at the times of a Poisson process, whether or not earlier
// ones have been answered, and latency counts from the time at which a request was meant to leave. Who
// is not answered by the deadline has given up, and closes the connection.
//
//	openloop -address 127.0.0.1:80 -path / -rate 800 -seconds 10
//
// Prints one line of JSON.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"sort"
	"sync"
	"time"
)

var (
	address     = flag.String("address", "", "host:port")
	path        = flag.String("path", "/", "path of each request")
	rate        = flag.Float64("rate", 100, "requests a second")
	seconds     = flag.Float64("seconds", 5, "measured time")
	warmup      = flag.Float64("warmup", 1, "seconds before it")
	deadline    = flag.Duration("deadline", time.Second, "when a client gives up")
	connections = flag.Int("connections", 4000, "most connections at a time")
	seed        = flag.Int64("seed", 1, "of the times")
)

type connection struct {
	net.Conn
	in *bufio.Reader
}

// Connections that nobody uses, latest first, and how many there are in all.
type pool struct {
	sync.Mutex
	idle []*connection
	open int
}

func (p *pool) take() (*connection, error) {
	p.Lock()
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.Unlock()
		return c, nil
	}
	full := p.open >= *connections
	if !full {
		p.open++
	}
	p.Unlock()
	if full {
		return nil, fmt.Errorf("all connections are in use")
	}
	c, err := net.DialTimeout("tcp", *address, *deadline)
	if err != nil {
		p.drop(nil)
		return nil, err
	}
	return &connection{c, bufio.NewReaderSize(c, 4096)}, nil
}

func (p *pool) drop(c *connection) {
	if c != nil {
		c.Close()
	}
	p.Lock()
	p.open--
	p.Unlock()
}

func (p *pool) give(c *connection) {
	p.Lock()
	p.idle = append(p.idle, c)
	p.Unlock()
}

// What became of the requests.
type tally struct {
	sync.Mutex
	good, shed, other, late, errors int
	accepted, refused               []float64 // seconds
}

func (t *tally) count(status int, err error, took time.Duration) {
	t.Lock()
	defer t.Unlock()
	timeout, isNet := err.(net.Error)
	switch {
	case err != nil && isNet && timeout.Timeout(), err == nil && took > *deadline:
		t.late++
	case err != nil:
		t.errors++
	case status == 200:
		t.good++
		t.accepted = append(t.accepted, took.Seconds())
	case status == 503:
		t.shed++
		t.refused = append(t.refused, took.Seconds())
	default:
		t.other++
	}
}

func exchange(c *connection, request []byte, until time.Time) (status int, keep bool, err error) {
	c.SetDeadline(until)
	if _, err = c.Write(request); err != nil {
		return
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, !response.Close, err
}

func send(p *pool, request []byte, meant time.Time) (int, error) {
	c, err := p.take()
	if err != nil {
		return 0, err
	}
	status, keep, err := exchange(c, request, meant.Add(*deadline))
	if err != nil || !keep {
		p.drop(c)
	} else {
		p.give(c)
	}
	return status, err
}

func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))] * 1000
}

func main() {
	flag.Parse()
	request := []byte("GET " + *path + " HTTP/1.1\r\nHost: a\r\n\r\n")
	random := rand.New(rand.NewSource(*seed))
	var connected pool
	var all tally
	var running sync.WaitGroup
	began := time.Now()
	from := began.Add(time.Duration(*warmup * 1e9))
	until := from.Add(time.Duration(*seconds * 1e9))
	offered := 0
	for meant := began; ; {
		meant = meant.Add(time.Duration(random.ExpFloat64() / *rate * 1e9))
		if meant.After(until) {
			break
		}
		time.Sleep(time.Until(meant))
		measured := meant.After(from)
		if measured {
			offered++
		}
		running.Add(1)
		go func(meant time.Time) {
			defer running.Done()
			status, err := send(&connected, request, meant)
			if measured {
				all.count(status, err, time.Since(meant))
			}
		}(meant)
	}
	running.Wait()
	sort.Float64s(all.accepted)
	sort.Float64s(all.refused)
	json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"offered": float64(offered) / *seconds, "goodput": float64(all.good) / *seconds,
		"shed": float64(all.shed) / *seconds, "late": float64(all.late) / *seconds,
		"other": float64(all.other) / *seconds, "errors": float64(all.errors) / *seconds,
		"p50_ms": quantile(all.accepted, 0.5), "p99_ms": quantile(all.accepted, 0.99),
		"shed_p99_ms": quantile(all.refused, 0.99),
	})
}
