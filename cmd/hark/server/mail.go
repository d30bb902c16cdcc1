package server

import "context"

func (p *Program) openMail(context.Context) (err error) {
	p.mail, err = p.cfg.Mail.Sender()
	return err
}
