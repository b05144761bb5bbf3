// Reads event streams by Go's net/http, as a browser's EventSource does.
//
//	events ADDRESS PID
//
// The server of that process id drains at the end.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type event struct{ name, id, data string }

// A stream, with what outlasts a connection: the last id, and how long to wait before the next one.
type source struct {
	url, lastID string
	retryMS     int
	reply       *http.Response
	lines       *bufio.Scanner
	cancel      context.CancelFunc
}

func check(err error) {
	if err != nil {
		log.Output(2, err.Error())
		os.Exit(1)
	}
}

func expect(what string, holds bool) {
	if !holds {
		log.Output(2, "it is not so that "+what)
		os.Exit(1)
	}
}

func (s *source) connect() {
	ctx, cancel := context.WithCancel(context.Background())
	request, err := http.NewRequestWithContext(ctx, "GET", s.url, nil)
	check(err)
	request.Header.Set("Accept", "text/event-stream")
	if s.lastID != "" {
		request.Header.Set("Last-Event-ID", s.lastID)
	}
	s.reply, err = http.DefaultClient.Do(request)
	check(err)
	expect("the status is 200", s.reply.StatusCode == 200)
	expect("the type is that of events", s.reply.Header.Get("Content-Type") == "text/event-stream")
	expect("no cache keeps it", strings.Contains(s.reply.Header.Get("Cache-Control"), "no-store"))
	s.lines, s.cancel = bufio.NewScanner(s.reply.Body), cancel
}

func (s *source) close() {
	s.cancel()
	s.reply.Body.Close()
}

// Reads until an event is whole. io.EOF when the stream has ended as it should: its last chunk is there.
func (s *source) read() (event, error) {
	var next event
	var data []string
	for s.lines.Scan() {
		field, value, _ := strings.Cut(s.lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			next.name = value
		case "id":
			next.id, s.lastID = value, value
		case "data":
			data = append(data, value)
		case "retry":
			var err error
			s.retryMS, err = strconv.Atoi(value)
			check(err)
		case "":
			if s.lines.Text() == "" && data != nil {
				next.data = strings.Join(data, "\n")
				return next, nil
			}
		default:
			check(errors.New("a line is " + s.lines.Text()))
		}
	}
	if err := s.lines.Err(); err != nil {
		return next, err
	}
	return next, io.EOF
}

func (s *source) expect(wanted event) {
	found, err := s.read()
	check(err)
	if found != wanted {
		check(fmt.Errorf("the event is %q, and not %q", found, wanted))
	}
}

func (s *source) expectEnd() {
	found, err := s.read()
	if err != io.EOF {
		check(fmt.Errorf("the stream does not end, but has %q (%v)", found, err))
	}
	s.close()
}

func numbered(n int) event {
	return event{id: strconv.Itoa(n), data: fmt.Sprintf("event %d\n%d: ä", n, n)}
}

func publish(base string, n int) {
	e := numbered(n)
	query := url.Values{"id": {e.id}, "data": {e.data}}
	reply, err := http.Post(base+"/publish/drops?"+query.Encode(), "", nil)
	check(err)
	reply.Body.Close()
	expect("the event is published", reply.StatusCode == 204)
}

// Each event comes when it is published: the next one is published when the last has been read.
func checkLive(base string, s *source, first, last int) {
	for n := first; n <= last; n++ {
		publish(base, n)
		s.expect(numbered(n))
	}
}

// Who comes back gets what it has missed, once and in order, and then what is new.
func checkReturn(base string, s *source) {
	s.close()
	publish(base, 4)
	publish(base, 5)
	expect("the last id is that of the last event", s.lastID == "3")
	s.connect()
	s.expect(numbered(4))
	s.expect(numbered(5))
	checkLive(base, s, 6, 6)
}

// Who has missed events that are not there any more is told that.
func checkGap(base string) {
	s := source{url: base + "/watch/drops", lastID: "of another day"}
	s.connect()
	s.expect(event{name: "reset"})
	checkLive(base, &s, 7, 7)
	s.close()
}

// A stream of one event, which the service ends.
func checkShort(base string) {
	s := source{url: base + "/greet"}
	s.connect()
	s.expect(event{"hello", "1", "a\nb"})
	expect("retry comes first", s.retryMS == 3000)
	s.expectEnd()
}

// A drain ends the stream in order, and says when to come back.
func checkDrain(s *source, pid int) {
	s.retryMS = -1
	check(syscall.Kill(pid, syscall.SIGTERM))
	s.expectEnd()
	expect("the end says when to come back", s.retryMS >= 0)
}

func main() {
	base := "http://" + os.Args[1]
	pid, err := strconv.Atoi(os.Args[2])
	check(err)
	time.AfterFunc(2*time.Minute, func() { log.Fatal("an event has not come") })
	s := source{url: base + "/watch/drops"}
	s.connect()
	checkLive(base, &s, 1, 3)
	checkReturn(base, &s)
	checkGap(base)
	s.expect(numbered(7))
	checkShort(base)
	checkDrain(&s, pid)
	fmt.Println("Go reads event streams, comes back to them, and sees their end")
}
