// Go's net/http with the waiting handler of examples/waits.c: a goroutine that sleeps.
//
//	go-waits PORT THREADS
package main

import (
	"log"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"time"
)

func main() {
	threads, _ := strconv.Atoi(os.Args[2])
	runtime.GOMAXPROCS(threads)
	http.HandleFunc("/sleep/", func(w http.ResponseWriter, r *http.Request) {
		ms, err := strconv.ParseUint(r.URL.Path[len("/sleep/"):], 10, 13)
		if err != nil {
			http.Error(w, "wait for 0 to 8191 milliseconds", 400)
			return
		}
		time.Sleep(time.Duration(ms) * time.Millisecond)
		w.Write([]byte("slept\n"))
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
