package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hark/api/mail"
	"hark/cmd/hark/config"
	"hark/cmd/hark/terminal"
	"hark/storage"
)

type mailCmd struct {
	Test mailTestCmd `cmd:"" help:"Send a test mail now, and say what the server answers."`
}

// mailTestTime is how long a test may take.
const mailTestTime = time.Minute

type mailTestCmd struct {
	config.MailConfig
	Language string `default:"en" help:"Language of the mail (en or de)."`
	Address  string `arg:"" help:"Address to send the test mail to."`
}

// Run sends the mail at once, and not as a job.
func (m *mailTestCmd) Run(ctx context.Context) error {
	sender, err := m.Sender()
	if err != nil {
		return err
	}
	if !sender.Possible() {
		return errors.New("no mail server is set; set HARK_SMTP_URL and HARK_MAIL_FROM")
	}
	message, err := mail.NewMessage(m.Address, m.Language, mail.Test{})
	if err != nil {
		return fmt.Errorf("%s: %w", m.Address, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, mailTestTime, fmt.Errorf("the server did not take the mail within %s", mailTestTime))
	defer cancel()
	receipt, err := sender.Send(ctx, "test."+storage.NewID(), message)
	if err != nil {
		return fmt.Errorf("no mail was sent: %s", terminal.Printable(err.Error()))
	}
	secured := "without TLS"
	if receipt.TLS != "" {
		secured = "over " + receipt.TLS
	}
	return terminal.PrintLine(terminal.Printable(fmt.Sprintf("%s took the mail to %s, %s, and answered: %s", receipt.Server, message.To, secured, receipt.Answer)))
}
