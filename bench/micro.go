// The routers that C authors are told about, on the same routes and requests as bench/parts.c, and
// encoding/json on the same documents, and the Prometheus client's metrics.
//
//	micro ROUTES-FILE [page | small]    with a second name prints that document instead
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strings"
	"syscall"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/julienschmidt/httprouter"
	"github.com/prometheus/client_golang/prometheus"
)

const turns = 5

type route struct{ method, pattern string }

// "{name}" as ":name".
func colons(pattern string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(pattern)
}

func read(file string) (routes []route) {
	in, err := os.Open(file)
	if err != nil {
		panic(err)
	}
	defer in.Close()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if method, pattern, found := strings.Cut(lines.Text(), " "); found {
			routes = append(routes, route{method, pattern})
		}
	}
	return routes
}

func requests(routes []route) (all []*http.Request) {
	for _, r := range routes {
		path := strings.NewReplacer("{", "", "}", "").Replace(r.pattern)
		request, _ := http.NewRequest(r.method, path, nil)
		request.RequestURI = path
		all = append(all, request)
	}
	return all
}

type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (w *nowhere) WriteHeader(int)             {}

func measure(name string, once func(i int)) {
	measureLoop(name, func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			once(i)
		}
	})
}

// Of the process, so that the collector of garbage counts, and other programs do not.
func cpuNanoseconds() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// For what takes a few nanoseconds, beside which a call through a variable would count.
func measureLoop(name string, loop func(b *testing.B)) {
	var ns []float64
	for turn := 0; turn < turns; turn++ {
		var cpu int64
		result := testing.Benchmark(func(b *testing.B) { // the last call has result.N rounds
			began := cpuNanoseconds()
			loop(b)
			cpu = cpuNanoseconds() - began
		})
		ns = append(ns, float64(cpu)/float64(result.N))
	}
	sort.Float64s(ns)
	fmt.Printf("%s %.2f\n", name, ns[turns/2])
}

func serve(handler http.Handler, all []*http.Request) func(i int) {
	w := &nowhere{http.Header{}}
	return func(i int) { handler.ServeHTTP(w, all[i%len(all)]) }
}

type draft struct {
	Title    string   `json:"title"`
	Text     string   `json:"text"`
	Priority int64    `json:"priority"`
	Done     bool     `json:"done"`
	Tags     []string `json:"tags"`
}

var text = []byte(`{"title":"Shopping for the weekend","text":"Milk, bread, two apples and a newspaper; ` +
	`ask about the bicycle","priority":4,"done":false,"tags":["home","errands"]}`)

// What C does beside it: a new struct each time.
func unmarshal(int) {
	var n draft
	if err := json.Unmarshal(text, &n); err != nil || len(n.Tags) != 2 {
		panic(err)
	}
}

type note struct {
	ID      uint64   `json:"id"`
	Title   string   `json:"title"`
	Text    string   `json:"text"`
	Created string   `json:"created"`
	Updated string   `json:"updated"`
	Score   float64  `json:"score"`
	Tags    []string `json:"tags"`
}

type page struct {
	Notes []note `json:"notes"`
	Next  string `json:"next"`
}

type small struct {
	ID    uint64  `json:"id"`
	Title string  `json:"title"`
	Done  bool    `json:"done"`
	Score float64 `json:"score"`
}

func documents() (page, small) {
	text := strings.Repeat("He said \"all is well\", went on and came by été...\n", 4)
	all := page{Next: "1000020"}
	for i := 0; i < 20; i++ {
		all.Notes = append(all.Notes, note{uint64(1000000 + i), "A note on what happened", text,
			"2026-11-24T02:44:46Z", "2026-11-25T12:00:01Z", float64(i) * 1.37,
			[]string{"work", "travel", "to be done"}})
	}
	return all, small{all.Notes[3].ID, all.Notes[3].Title, true, all.Notes[3].Score}
}

func marshal(document interface{}) []byte {
	text, err := json.Marshal(document)
	if err != nil {
		panic(err)
	}
	return text
}

func main() {
	all, one := documents()
	if len(os.Args) > 2 {
		os.Stdout.Write(marshal(map[string]interface{}{"page": &all, "small": &one}[os.Args[2]]))
		return
	}
	measure("go_json_page", func(int) { marshal(&all) })
	measure("go_json_small", func(int) { marshal(&one) })
	measureMetrics()
	measureRouters(read(os.Args[1]))
}

// As bench/counters.c.
func measureMetrics() {
	family := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "orders_total", Help: "Orders."},
		[]string{"channel", "result"})
	counter := family.WithLabelValues("web", "ok")
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "order_seconds", Help: "Durations.",
		Buckets: []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}})
	values := [][2]string{{"web", "ok"}, {"web", "failed"}, {"shop", "ok"}, {"shop", "failed"}}
	measureLoop("go_counter_inc", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			counter.Inc()
		}
	})
	measureLoop("go_histogram_observe", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			histogram.Observe(float64(i&0xffffff) * 1e-9)
		}
	})
	measureLoop("go_counter_with_inc", func(b *testing.B) {
		for i := 0; i < b.N; i++ {
			family.WithLabelValues(values[i%4][0], values[i%4][1]).Inc()
		}
	})
}

func measureRouters(routes []route) {
	all := requests(routes)
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	router := httprouter.New()
	for _, r := range routes {
		engine.Handle(r.method, colons(r.pattern), func(*gin.Context) {})
		router.Handle(r.method, colons(r.pattern), func(http.ResponseWriter, *http.Request, httprouter.Params) {})
	}
	measure("gin_github", serve(engine, all))
	measure("httprouter_github", serve(router, all))
	measure("go_unmarshal_note", unmarshal)
}
