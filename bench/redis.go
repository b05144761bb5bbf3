// Gets of Redis in Go, by a client written by hand: go_get by 64 goroutines that share a connection, as the
// requests of a service would, and go_batch by a loop that writes 64 commands and reads 64 replies.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"syscall"
)

const inFlight, keys, valueBytes = 64, 1000, 64

func cpu() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

// A connection and its buffers.
type wire struct {
	r *bufio.Reader
	w *bufio.Writer
}

func dial(path string) wire {
	connection, err := net.Dial("unix", path)
	if err != nil {
		panic(err)
	}
	return wire{bufio.NewReaderSize(connection, 16384), bufio.NewWriterSize(connection, 16384)}
}

func (c wire) writeGet(key string) {
	c.w.WriteString("*2\r\n$3\r\nGET\r\n$")
	c.w.WriteString(strconv.Itoa(len(key)))
	c.w.WriteString("\r\n")
	c.w.WriteString(key)
	c.w.WriteString("\r\n")
}

func (c wire) readBulk() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	count, err := strconv.Atoi(string(line[1 : len(line)-2]))
	if err != nil || line[0] != '$' || count < valueBytes {
		return nil, errors.New("no value")
	}
	value := make([]byte, count)
	if _, err := io.ReadFull(c.r, value); err != nil {
		return nil, err
	}
	_, err = c.r.Discard(2)
	return value, err
}

// A call of one of the goroutines.
type call struct {
	key   string
	value []byte
	err   error
	done  chan struct{}
}

type client struct {
	wire
	calls, pending chan *call
}

func newClient(path string) *client {
	c := &client{dial(path), make(chan *call, inFlight), make(chan *call, inFlight)}
	go c.write()
	go c.read()
	return c
}

// Writes the calls that are there, and flushes when no other is.
func (c *client) write() {
	for {
		next := <-c.calls
		for more := true; more; {
			c.writeGet(next.key)
			c.pending <- next
			select {
			case next = <-c.calls:
			default:
				more = false
			}
		}
		c.w.Flush()
	}
}

func (c *client) read() {
	for next := range c.pending {
		next.value, next.err = c.readBulk()
		next.done <- struct{}{}
	}
}

func (c *client) get(key string, done chan struct{}) ([]byte, error) {
	mine := call{key: key, done: done}
	c.calls <- &mine
	<-done
	return mine.value, mine.err
}

func runGoroutines(c *client, names *[keys]string, gets int) {
	var all sync.WaitGroup
	for i := 0; i < inFlight; i++ {
		all.Add(1)
		go func(first int) {
			done := make(chan struct{}, 1)
			for j := first; j < gets; j += inFlight {
				if _, err := c.get(names[j%keys], done); err != nil {
					panic(err)
				}
			}
			all.Done()
		}(i)
	}
	all.Wait()
}

func runBatches(c wire, names *[keys]string, gets int) {
	for i := 0; i < gets; i += inFlight {
		for j := 0; j < inFlight; j++ {
			c.writeGet(names[(i+j)%keys])
		}
		c.w.Flush()
		for j := 0; j < inFlight; j++ {
			if _, err := c.readBulk(); err != nil {
				panic(err)
			}
		}
	}
}

func measure(name string, rounds, gets int, run func()) {
	var values []float64
	for round := -1; round < rounds; round++ { // the first one warms up
		before := cpu()
		run()
		if round >= 0 {
			values = append(values, (cpu()-before)/float64(gets))
		}
	}
	sort.Float64s(values)
	fmt.Printf("%s %.0f\n", name, values[len(values)/2])
}

func main() {
	rounds, _ := strconv.Atoi(os.Args[2])
	gets, _ := strconv.Atoi(os.Args[3])
	gets -= gets % inFlight
	var names [keys]string
	for i := range names {
		names[i] = fmt.Sprintf("bench:key-%012d", i)
	}
	shared, own := newClient(os.Args[1]), dial(os.Args[1])
	measure("go_get", rounds, gets, func() { runGoroutines(shared, &names, gets) })
	measure("go_batch", rounds, gets, func() { runBatches(own, &names, gets) })
}
