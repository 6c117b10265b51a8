// Command probe asks a server whether it is ready: the image of the collector holds no shell and no client.
//
//	probe [-ca FILE] [-cert FILE -key FILE] URL
//
// It ends with 0 when the answer's status is below 400, and with 1 and the reason on standard error otherwise.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	authority := flag.String("ca", "", "certificate authority (PEM) that the server is held to")
	certificate := flag.String("cert", "", "our own certificate (PEM)")
	key := flag.String("key", "", "its private key (PEM)")
	timeout := flag.Duration("timeout", 3*time.Second, "time that the answer may take")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "expected one URL")
		os.Exit(2)
	}
	if err := ask(flag.Arg(0), *authority, *certificate, *key, *timeout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(url, authority, certificate, key string, timeout time.Duration) error {
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if authority != "" {
		text, err := os.ReadFile(authority)
		if err != nil {
			return err
		}
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s: no certificate in it", authority)
		}
	}
	if certificate != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return err
		}
		trust.Certificates = []tls.Certificate{pair}
	}
	// No proxy, whatever the environment says: the server is in this container.
	client := http.Client{Timeout: timeout, Transport: &http.Transport{TLSClientConfig: trust}}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return nil
}
