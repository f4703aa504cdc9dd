// Sends one message with Go's net/smtp: built once per run by harness/clients/go-net-smtp.ts, started once per message.
//
// Without -tls it is smtp.SendMail, which decides by itself; with it, the calls that the documentation of net/smtp
// shows: Dial, Hello, Extension, StartTLS, Auth, Mail, Rcpt, Data, Quit. The library believes that it talks to the
// peer by name: only the resolver's answer for that name is the peer's address, so SNI and the name check are the
// library's own. The roots are those of SSL_CERT_FILE, where crypto/x509 looks for the system's.
//
// Standard output says what the channel was when the message was accepted; an error goes to standard error.
package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"strings"
)

var (
	host        = flag.String("host", "", "the peer's name")
	address     = flag.String("address", "", "its address")
	port        = flag.String("port", "", "its port")
	from        = flag.String("from", "", "envelope sender")
	ehlo        = flag.String("ehlo", "", "what to call itself")
	when        = flag.String("tls", "", "never, offered, always, connect; empty: smtp.SendMail")
	check       = flag.Bool("check", false, "check chain and name")
	user        = flag.String("user", "", "user name for AUTH")
	certificate = flag.String("certificate", "", "client certificate chain")
	key         = flag.String("key", "", "its key")
)

func main() {
	flag.Parse()
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: dialResolver}
	message, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = deliver(message)
	}
	if err != nil {
		var reply *textproto.Error
		if errors.As(err, &reply) {
			fmt.Printf("code=%d\n", reply.Code)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("delivered")
}

func deliver(message []byte) error {
	var auth smtp.Auth
	if *user != "" {
		auth = smtp.PlainAuth("", *user, os.Getenv("BADMX_PASSWORD"), *host)
	}
	if *when == "" {
		return smtp.SendMail(net.JoinHostPort(*host, *port), auth, *from, flag.Args(), message)
	}
	config, err := tlsConfig()
	if err != nil {
		return err
	}
	client, err := connect(config)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Hello(*ehlo); err != nil {
		return err
	}
	offered, _ := client.Extension("STARTTLS")
	if *when == "always" || *when == "offered" && offered {
		if err := client.StartTLS(config); err != nil {
			return err
		}
	}
	if auth != nil {
		if err := client.Auth(auth); err != nil {
			return err
		}
	}
	return send(client, message)
}

func connect(config *tls.Config) (*smtp.Client, error) {
	if *when != "connect" {
		return smtp.Dial(net.JoinHostPort(*host, *port))
	}
	conn, err := tls.Dial("tcp", net.JoinHostPort(*host, *port), config)
	if err != nil {
		return nil, err
	}
	return smtp.NewClient(conn, *host)
}

func send(client *smtp.Client, message []byte) error {
	if err := client.Mail(*from); err != nil {
		return err
	}
	for _, recipient := range flag.Args() {
		if err := client.Rcpt(recipient); err != nil {
			return err
		}
	}
	data, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := data.Write(message); err != nil {
		return err
	}
	if err := data.Close(); err != nil {
		return err
	}
	state, encrypted := client.TLSConnectionState()
	fmt.Printf("encrypted=%t verified=%t\n", encrypted, len(state.VerifiedChains) > 0)
	return client.Quit()
}

func tlsConfig() (*tls.Config, error) {
	config := &tls.Config{ServerName: *host, InsecureSkipVerify: !*check}
	if *certificate == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	config.Certificates = []tls.Certificate{pair}
	return config, err
}

// dialResolver is a DNS server at the other end of a pipe; without a packet connection the framing is that of TCP.
func dialResolver(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		for {
			var size uint16
			if binary.Read(far, binary.BigEndian, &size) != nil {
				return
			}
			query := make([]byte, size)
			if _, err := io.ReadFull(far, query); err != nil {
				return
			}
			reply := resolve(query)
			if _, err := far.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
				return
			}
		}
	}()
	return near, nil
}

// resolve answers one query (RFC 1035 section 4.1): the address for the peer's name and family, else no data.
func resolve(query []byte) []byte {
	end := 12
	var labels []string
	for query[end] != 0 {
		labels = append(labels, string(query[end+1:end+1+int(query[end])]))
		end += 1 + int(query[end])
	}
	end += 5
	question := query[12:end]
	kind := binary.BigEndian.Uint16(question[len(question)-4:])
	ip, want := net.ParseIP(*address).To4(), uint16(1)
	if ip == nil {
		ip, want = net.ParseIP(*address), 28
	}
	found := kind == want && strings.EqualFold(strings.Join(labels, "."), *host)
	// id; response, recursion available; one question
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
	if !found {
		return reply
	}
	reply[7] = 1
	// the question's name; type, class IN, TTL 0, length
	reply = binary.BigEndian.AppendUint16(append(reply, 0xc0, 12), kind)
	reply = append(reply, 0, 1, 0, 0, 0, 0, 0, byte(len(ip)))
	return append(reply, ip...)
}
