// fasthttp with one handler, as its documentation shows it.
//
//	fasthttp PORT THREADS CONTENT-TYPE BODY
package main

import (
	"log"
	"os"
	"runtime"
	"strconv"

	"github.com/valyala/fasthttp"
)

func main() {
	threads, _ := strconv.Atoi(os.Args[2])
	runtime.GOMAXPROCS(threads)
	contentType, body := os.Args[3], []byte(os.Args[4])
	log.Fatal(fasthttp.ListenAndServe("127.0.0.1:"+os.Args[1], func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType(contentType)
		ctx.SetBody(body)
	}))
}
