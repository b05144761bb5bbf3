// The routers that C authors are told about, on the same routes and requests as bench/parts.c, and
// encoding/json on the same document.
//
//	micro ROUTES-FILE
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/julienschmidt/httprouter"
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
	var ns []float64
	for turn := 0; turn < turns; turn++ {
		result := testing.Benchmark(func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				once(i)
			}
		})
		ns = append(ns, float64(result.T.Nanoseconds())/float64(result.N))
	}
	sort.Float64s(ns)
	fmt.Printf("%s %.2f\n", name, ns[turns/2])
}

func serve(handler http.Handler, all []*http.Request) func(i int) {
	w := &nowhere{http.Header{}}
	return func(i int) { handler.ServeHTTP(w, all[i%len(all)]) }
}

type note struct {
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
	var n note
	if err := json.Unmarshal(text, &n); err != nil || len(n.Tags) != 2 {
		panic(err)
	}
}

func main() {
	routes := read(os.Args[1])
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
