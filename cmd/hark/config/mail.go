package config

import (
	"fmt"

	"hark/api/mail"
)

// MailConfig says by which server mails are sent, and from whom.
type MailConfig struct {
	URL  string `name:"smtp-url" env:"HARK_SMTP_URL" placeholder:"URL" credentials:"" help:"SMTP server to send mail by, such as smtp://USER:PASSWORD@HOST:587 (STARTTLS) or smtps://USER:PASSWORD@HOST:465; no mail is sent when empty."`
	TLS  string `name:"smtp-tls" env:"HARK_SMTP_TLS" enum:"required,off" default:"required" help:"Encryption to the SMTP server (${enum}): off sends mail in the clear, and a password only to a server on this machine."`
	CA   string `name:"smtp-ca" env:"HARK_SMTP_CA" placeholder:"FILE" help:"PEM file of certificate authorities for the SMTP server; the system's when empty."`
	From string `name:"mail-from" env:"HARK_MAIL_FROM" placeholder:"ADDRESS" help:"Sender of mails, such as 'Hark <hark@example.org>'; needed with HARK_SMTP_URL."`
}

// Sender makes the sender of mails; nil where none is configured.
func (c MailConfig) Sender() (*mail.Sender, error) {
	if c.URL == "" {
		return nil, nil
	}
	server, err := mail.ParseServer(c.URL)
	if err != nil {
		return nil, fmt.Errorf("HARK_SMTP_URL: %w", err)
	}
	s, err := mail.New(mail.Config{Server: server, NoTLS: c.TLS == "off", CA: c.CA, From: c.From})
	if err != nil {
		return nil, fmt.Errorf("HARK_MAIL_FROM, HARK_SMTP_TLS, HARK_SMTP_CA: %w", err)
	}
	return s, nil
}

func (c MailConfig) check(bad func(key, format string, args ...any)) {
	if c.URL == "" {
		if c.From != "" || c.CA != "" {
			bad("HARK_SMTP_URL", "is needed with the other settings of mail; without it no mail is sent")
		}
		return
	}
	server, err := mail.ParseServer(c.URL)
	if err != nil {
		bad("HARK_SMTP_URL", "%s", err)
		return
	}
	if c.From == "" {
		bad("HARK_MAIL_FROM", "is needed with HARK_SMTP_URL, such as 'Hark <hark@example.org>'")
		return
	}
	if _, err := mail.New(mail.Config{Server: server, NoTLS: c.TLS == "off", CA: c.CA, From: c.From}); err != nil {
		bad("HARK_SMTP_URL, HARK_SMTP_TLS, HARK_SMTP_CA, HARK_MAIL_FROM", "%s", err)
	}
}
