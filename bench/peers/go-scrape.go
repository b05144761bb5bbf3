// Go's client library with the series of scrape.c.
//
//	go-scrape PORT counters | histograms
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const routes, statuses, times = 200, 10, 28

func eachSeries(count func(labels ...string)) {
	for s := 0; s < statuses; s++ {
		for r := 0; r < routes; r++ {
			for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
				count(method, fmt.Sprintf("/orders/{order}/items/%d", r), strconv.Itoa(200+s))
			}
		}
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	registry := prometheus.NewRegistry()
	labels := []string{"method", "route", "status"}
	if os.Args[2] == "counters" {
		family := prometheus.NewCounterVec(
			prometheus.CounterOpts{Name: "bench_requests_total", Help: "A bench's."}, labels)
		registry.MustRegister(family)
		eachSeries(func(values ...string) { family.WithLabelValues(values...).Add(times) })
	} else {
		family := prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "bench_duration_seconds", Help: "A bench's.",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10},
		}, labels)
		registry.MustRegister(family)
		eachSeries(func(values ...string) {
			for i := 0; i < times; i++ {
				family.WithLabelValues(values...).Observe(0.0013 * float64(i%7*(i%7)))
			}
		})
	}
	http.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
