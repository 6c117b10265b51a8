// Command standin takes the place of a server that cannot be had on this machine: it answers the health probe, and
// whoever asks for anything else that it is a stand-in. `standin -health` is the probe itself.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if filepath.Base(os.Args[0]) == "wget" {
		// busybox-static speaks no TLS that Go takes; the one in Grafana's image does.
		os.Exit(get(os.Args[len(os.Args)-1]))
	}
	address := flag.String("address", os.Getenv("STANDIN_ADDRESS"), "where to listen")
	ready := flag.String("ready", os.Getenv("STANDIN_READY"), "path that answers 200")
	health := flag.Bool("health", false, "probe the server instead of being one")
	// What the real servers are started with and probed by; nothing here depends on them.
	flag.String("health.url", "", "ignored")
	flag.String("config.file", "", "ignored")
	flag.String("target", "", "ignored")
	flag.Parse()
	if *health {
		client := http.Client{Timeout: 3 * time.Second}
		answer, err := client.Get("http://" + *address + *ready)
		if err != nil || answer.StatusCode != http.StatusOK {
			fmt.Fprintln(os.Stderr, "not ready:", err)
			os.Exit(1)
		}
		return
	}
	fmt.Println("stand-in: answers", *ready, "on", *address)
	http.HandleFunc("/", func(reply http.ResponseWriter, request *http.Request) {
		if request.URL.Path == *ready {
			fmt.Fprintln(reply, "ready (stand-in)")
			return
		}
		http.Error(reply, "stand-in: the real server is not here", http.StatusNotImplemented)
	})
	// Mounted where the stack runs under TLS.
	const certificate, key = "/etc/obs/certs/server.crt", "/etc/obs/certs/server.key"
	_, err := os.Stat(certificate)
	if err == nil {
		err = http.ListenAndServeTLS(*address, certificate, key, nil)
	} else {
		err = http.ListenAndServe(*address, nil)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func get(url string) int {
	trust := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	client := http.Client{Timeout: 3 * time.Second, Transport: trust}
	answer, err := client.Get(url)
	if err != nil || answer.StatusCode != http.StatusOK {
		fmt.Fprintln(os.Stderr, "not ready:", err)
		return 1
	}
	return 0
}
