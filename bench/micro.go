// The routers that C authors are told about, on the same routes and requests as bench/parts.c.
//
//	micro ROUTES-FILE
package main

import (
	"bufio"
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

func measure(name string, handler http.Handler, all []*http.Request) {
	var ns []float64
	for turn := 0; turn < turns; turn++ {
		w := &nowhere{http.Header{}}
		result := testing.Benchmark(func(b *testing.B) {
			for i := 0; i < b.N; i++ {
				handler.ServeHTTP(w, all[i%len(all)])
			}
		})
		ns = append(ns, float64(result.T.Nanoseconds())/float64(result.N))
	}
	sort.Float64s(ns)
	fmt.Printf("%s %.2f\n", name, ns[turns/2])
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
	measure("gin_github", engine, all)
	measure("httprouter_github", router, all)
}
