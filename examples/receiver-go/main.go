// Receives events of odim-relay: verifies who sent them, takes each of them once, answers at once, works afterwards.
//
//	go build -o receiver .
//	./receiver -secret-file receiver.secret -certificate server.pem -key server-key.pem -listen 127.0.0.1:9443
//
// Go 1.19 or newer, and nothing else. README.md beside it says what to change, and why it is as it is.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const mostBytes = 2 << 20 // the relay sends at most half of it

// alert is what this receiver makes of an EventRecord.
type alert struct {
	Severity  string `json:"severity"`
	MessageID string `json:"message_id"`
	Origin    string `json:"origin"`
	Message   string `json:"message"`
}

// handle is where your own work begins. It may take its time: the relay was answered long ago.
//
// It is done again when the receiver was killed before its result was written. What it does elsewhere must bear a second
// time: send the id along, and let the other side look for it.
func handle(id string, body []byte) ([]alert, error) {
	var event struct {
		Events []struct {
			MessageID         string `json:"MessageId"`
			MessageSeverity   string
			Severity          string
			Message           string
			OriginOfCondition struct {
				ID string `json:"@odata.id"`
			}
		}
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return nil, err
	}
	alerts := []alert{}
	for _, record := range event.Events {
		severity := record.MessageSeverity
		if severity == "" {
			severity = record.Severity
		}
		alerts = append(alerts, alert{severity, record.MessageID, record.OriginOfCondition.ID, record.Message})
	}
	return alerts, nil
}

// take answers the relay. What is not 2xx comes again, but for the 4xx that say it never shall: 400, 405, 413.
func take(inbox *Inbox, keys *Keys) http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		if request.Method != http.MethodPost {
			answer.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(answer, request.Body, mostBytes))
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			answer.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			return // it was cut off
		}
		id := request.Header.Get("webhook-id")
		if keys != nil && !keys.Verify(id, request.Header.Get("webhook-timestamp"),
			request.Header.Get("webhook-signature"), body, time.Now()) {
			// It comes again: nothing is lost when it is we who have the wrong secret.
			answer.WriteHeader(http.StatusUnauthorized)
			return
		}
		if id == "" {
			answer.WriteHeader(http.StatusBadRequest)
			return
		}
		isNew, err := inbox.Take(id, body)
		switch {
		case err != nil:
			log.Printf("cannot keep %s: %v", id, err)
			answer.WriteHeader(http.StatusServiceUnavailable)
		case isNew:
			answer.WriteHeader(http.StatusCreated)
		default:
			answer.WriteHeader(http.StatusOK)
		}
	}
}

// tlsConfig is TLS 1.2 or newer; with a CA only for those who show a certificate of it.
func tlsConfig(clientCA string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if clientCA != "" {
		pem, err := os.ReadFile(clientCA)
		if err != nil {
			return nil, err
		}
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", clientCA)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config, nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:9443", "`address` and port")
	folder := flag.String("folder", ".", "of arrived.jsonl and handled.jsonl")
	secretFile := flag.String("secret-file", "", "whsec_ secrets and whpk_ public keys, one a line")
	unsigned := flag.Bool("unsigned", false, "believe everybody")
	certificate := flag.String("certificate", "", "PEM; without it, plain HTTP")
	key := flag.String("key", "", "PEM; where it is not in the same file")
	clientCA := flag.String("client-ca", "", "PEM: who the relay's own certificate must be of")
	flag.Parse()
	if err := run(*listen, *folder, *secretFile, *unsigned, *certificate, *key, *clientCA); err != nil {
		log.Fatal(err)
	}
}

// run receives until SIGTERM or Ctrl-C. It may be killed at any time: what was answered is kept, what was not comes again.
func run(listen, folder, secretFile string, unsigned bool, certificate, key, clientCA string) error {
	if (secretFile == "") != unsigned {
		return errors.New("give one of -secret-file and -unsigned")
	}
	var keys *Keys
	if !unsigned {
		var err error
		if keys, err = ReadKeys(secretFile); err != nil {
			return err
		}
	}
	inbox, err := OpenInbox(filepath.Join(folder, "arrived.jsonl"), filepath.Join(folder, "handled.jsonl"), time.Now())
	if err != nil {
		return err
	}
	config, err := tlsConfig(clientCA)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: take(inbox, keys), TLSConfig: config, ReadHeaderTimeout: 15 * time.Second,
		ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 5 * time.Minute,
	}
	socket, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- inbox.HandleAll(handle) }()
	go func() {
		if certificate == "" {
			fmt.Printf("listening at http://%s\n", socket.Addr())
			failed <- server.Serve(socket)
			return
		}
		if key == "" {
			key = certificate
		}
		fmt.Printf("listening at https://%s\n", socket.Addr())
		failed <- server.ServeTLS(socket, certificate, key)
	}()
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	select {
	case err := <-failed:
		return err
	case <-ended.Done():
		patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return server.Shutdown(patience)
	}
}
