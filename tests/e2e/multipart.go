// Sends forms by Go's net/http and mime/multipart, and compares what the server has received.
//
//	multipart ADDRESS FOLDER
//
// The server names each file by the number of its part, in FOLDER/kept.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"time"
)

const (
	binary = "application/octet-stream"
	large  = 10_000_000
)

var client = http.Client{Timeout: 2 * time.Minute}

// A part as the server describes it; a file has its bytes in the folder.
type part struct {
	Name     string
	Value    *string
	Filename *string
	Type     string
	Size     int
	content  []byte
	path     string // the name that is sent, if it is not the one that arrives
}

func value(name, text string) part { return part{Name: name, Value: &text} }

func file(name, filename string, content []byte) part {
	return part{Name: name, Filename: &filename, Type: binary, Size: len(content), content: content}
}

func check(err error) {
	if err != nil {
		log.Output(2, err.Error())
		os.Exit(1)
	}
}

func expect(what string, found, wanted any) {
	if !reflect.DeepEqual(found, wanted) {
		check(fmt.Errorf("%s: %v, and not %v", what, found, wanted))
	}
}

func makeParts() []part {
	content := make([]byte, large)
	rand.New(rand.NewSource(1)).Read(content)
	path := file("path", "name.txt", []byte("p"))
	path.path = `C:\folder\name.txt`
	text := file("text", "typed.txt", []byte("typed"))
	text.Type = "text/plain"
	return []part{
		value("a", "1"), value("a", ""), value(`größe "x"\`, "+ % €\r\n日本"),
		file("file", "plain.txt", []byte("some text")),
		file("file", "the same field.txt", []byte("\r\n--\r\n")),
		file(`"quoted"`, `say "hi"; name=x.txt`, []byte("q")),
		file("größe", "größe 日本 🙂.bin", []byte{0, 255, 10, 13}),
		file("empty", "empty.bin", nil),
		path, text,
		file("large", "large.bin", content),
	}
}

func writePart(form *multipart.Writer, p part) {
	if p.Value != nil {
		check(form.WriteField(p.Name, *p.Value))
		return
	}
	var to io.Writer
	var err error
	if p.Type == binary {
		sent := *p.Filename
		if p.path != "" {
			sent = p.path
		}
		to, err = form.CreateFormFile(p.Name, sent)
	} else {
		head := textproto.MIMEHeader{}
		head.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%s; filename=%s`, p.Name, *p.Filename))
		head.Set("Content-Type", p.Type)
		to, err = form.CreatePart(head)
	}
	check(err)
	_, err = to.Write(p.content)
	check(err)
}

func writeForm(form *multipart.Writer, parts []part) {
	for _, p := range parts {
		writePart(form, p)
	}
	check(form.Close())
}

func post(url, kind string, body io.Reader, answer any) {
	reply, err := client.Post(url, kind, body)
	check(err)
	readAnswer(reply, answer)
}

func readAnswer(reply *http.Response, answer any) {
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	check(err)
	expect(string(text), reply.StatusCode, 200)
	check(json.Unmarshal(text, answer))
}

// Compares each part with what was sent, and removes the files.
func checkAnswer(answer, parts []part, folder string) {
	expect("the number of parts", len(answer), len(parts))
	for i, p := range parts {
		if p.Filename != nil {
			path := filepath.Join(folder, "kept", strconv.Itoa(i))
			kept, err := os.ReadFile(path)
			check(err)
			check(os.Remove(path))
			if !bytes.Equal(kept, p.content) {
				check(fmt.Errorf("the bytes of %s differ", *p.Filename))
			}
		}
		p.content, p.path = nil, ""
		found, _ := json.Marshal(answer[i])
		wanted, _ := json.Marshal(p)
		expect("a part", string(found), string(wanted))
	}
	left, err := os.ReadDir(filepath.Join(folder, "kept"))
	check(err)
	expect("files that are left", len(left), 0)
}

// The body has a length.
func checkBuffered(base, folder string, parts []part) {
	var body bytes.Buffer
	var answer []part
	form := multipart.NewWriter(&body)
	writeForm(form, parts)
	post(base+"/parts", form.FormDataContentType(), &body, &answer)
	checkAnswer(answer, parts, folder)
}

// The body is made while it is sent, in chunks.
func checkStreamed(base, folder string, parts []part) {
	from, to := io.Pipe()
	var answer []part
	form := multipart.NewWriter(to)
	go func() {
		writeForm(form, parts)
		to.Close()
	}()
	post(base+"/parts", form.FormDataContentType(), from, &answer)
	checkAnswer(answer, parts, folder)
}

// Go sends the names in their order.
func checkFields(base string) {
	fields := url.Values{"a": {"1", ""}, "b c&d=e": {"+ % €\r\nä"}, `größe "x"`: {"日本"}}
	var answer [][2]string
	reply, err := client.PostForm(base+"/fields", fields)
	check(err)
	readAnswer(reply, &answer)
	wanted := [][2]string{{"a", "1"}, {"a", ""}, {"b c&d=e", "+ % €\r\nä"}, {`größe "x"`, "日本"}}
	expect("the fields", answer, wanted)
}

func main() {
	base, folder := "http://"+os.Args[1], os.Args[2]
	parts := makeParts()
	checkBuffered(base, folder, parts)
	checkStreamed(base, folder, parts)
	checkFields(base)
	fmt.Println("Go's forms arrive as they were sent")
}
