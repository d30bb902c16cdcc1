package mail

import (
	"errors"
	"net"
	"net/url"
	"strconv"
)

// Server is an SMTP server, and who we are there.
type Server struct {
	Host     string
	Port     int
	TLS      bool   // from the first byte (smtps); else by STARTTLS
	User     string // empty for one that asks for none
	Password string
}

// The ports of submission (RFC 8314).
const (
	portSTARTTLS = 587
	portTLS      = 465
)

// ParseServer reads smtp://USER:PASSWORD@HOST:PORT, or smtps://. Without a port it is
// 587, or 465 for smtps. What is wrong is told without the password.
func ParseServer(address string) (Server, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Server{}, errors.New("is no address such as smtp://USER:PASSWORD@HOST:587; letters such as / and @ in a password are written %2F and %40")
	}
	s := Server{Host: u.Hostname(), Port: portSTARTTLS, User: u.User.Username()}
	s.Password, _ = u.User.Password()
	switch u.Scheme {
	case "smtp":
	case "smtps":
		s.TLS, s.Port = true, portTLS
	default:
		return Server{}, errors.New("does not begin with smtp:// or smtps://")
	}
	if port := u.Port(); port != "" {
		if s.Port, err = strconv.Atoi(port); err != nil || s.Port < 1 || s.Port > 65535 {
			return Server{}, errors.New("has a port that is not 1 to 65535")
		}
	}
	switch {
	case s.Host == "":
		return Server{}, errors.New("names no host")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return Server{}, errors.New("has something behind the host")
	case (s.User == "") != (s.Password == ""):
		return Server{}, errors.New("has a user without a password, or a password without a user")
	}
	return s, nil
}

// Addr is host and port.
func (s Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// here reports whether the server is on this machine.
func (s Server) here() bool {
	ip := net.ParseIP(s.Host)
	return s.Host == "localhost" || ip != nil && ip.IsLoopback()
}
