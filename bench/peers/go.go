// Go's net/http with its ServeMux, as its documentation shows it.
//
//	go PORT THREADS CONTENT-TYPE BODY
package main

import (
	"log"
	"net/http"
	"os"
	"runtime"
	"strconv"
)

func main() {
	threads, _ := strconv.Atoi(os.Args[2])
	runtime.GOMAXPROCS(threads)
	contentType, body := os.Args[3], []byte(os.Args[4])
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Write(body)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
