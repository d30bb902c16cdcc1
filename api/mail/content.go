package mail

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"hark/storage"
)

// Message is a mail that is to be sent, as it stands in a job's args.
type Message struct {
	To       string          `json:"to"`       // as CheckAddress returns it
	Language string          `json:"language"` // BCP 47; what there are no words in is English
	Template string          `json:"template"`
	Data     json.RawMessage `json:"data"`           // a Content of the template
	Until    time.Time       `json:"until,omitzero"` // it is of no use after; zero means always
}

// Content is what a mail says: one of the types of this package.
type Content interface {
	template() string
	until(now time.Time) time.Time // zero means that it never comes too late
	link() string                  // that the mail is there for; empty for none
}

// Test tells that mails arrive.
type Test struct{}

// Invitation asks somebody into a workspace.
type Invitation struct {
	Inviter   string    `json:"inviter"`
	Workspace string    `json:"workspace"`
	Link      string    `json:"link"`
	Until     time.Time `json:"until"` // when the link runs out
}

// SignIn has a link that signs in, for who asked for it.
type SignIn struct {
	Link    string `json:"link"`
	Minutes int    `json:"minutes"` // for which the link works
	Device  string `json:"device"`  // that asked, such as "Firefox on Linux"
}

// NewDevice tells that somebody signed in on a device for the first time.
type NewDevice struct {
	Device string    `json:"device"`
	At     time.Time `json:"at"`
	Link   string    `json:"link"` // to the list of one's devices
}

// Change is of how somebody signs in.
type Change string

// The changes that are told.
const (
	PasskeyAdded      Change = "passkey_added"
	RecoveryCodesMade Change = "recovery_codes_made"
	RecoveryCodeUsed  Change = "recovery_code_used"
	EmailChanged      Change = "email_changed" // which the address of before is told
)

// SignInChanged tells of a change to how somebody signs in, or that a recovery code of
// theirs was used.
type SignInChanged struct {
	Change Change    `json:"change"`
	Device string    `json:"device"`
	At     time.Time `json:"at"`
	Link   string    `json:"link"` // to where it can be changed
}

// Recovery has a link by which an admin lets somebody in who lost their way of
// signing in.
type Recovery struct {
	Admin     string    `json:"admin"`
	Workspace string    `json:"workspace"`
	Link      string    `json:"link"`
	Until     time.Time `json:"until"` // when the link runs out
}

// ConfirmEmail has a link that confirms the address that it is sent to.
type ConfirmEmail struct {
	Name      string    `json:"name"` // of who asked for it
	Workspace string    `json:"workspace"`
	Device    string    `json:"device"`
	Link      string    `json:"link"`
	Until     time.Time `json:"until"` // when the link runs out
}

// EmailTaken tells who signs in by an address that somebody else wanted it.
type EmailTaken struct {
	Link string `json:"link"` // to sign in by
}

func (Test) template() string          { return "test" }
func (Invitation) template() string    { return "invitation" }
func (SignIn) template() string        { return "sign_in" }
func (NewDevice) template() string     { return "new_device" }
func (SignInChanged) template() string { return "sign_in_changed" }
func (Recovery) template() string      { return "recovery" }
func (ConfirmEmail) template() string  { return "confirm_email" }
func (EmailTaken) template() string    { return "email_taken" }

func (Test) until(time.Time) time.Time         { return time.Time{} }
func (c Invitation) until(time.Time) time.Time { return c.Until }
func (c SignIn) until(now time.Time) time.Time {
	return now.Add(time.Duration(c.Minutes) * time.Minute)
}
func (NewDevice) until(time.Time) time.Time      { return time.Time{} }
func (SignInChanged) until(time.Time) time.Time  { return time.Time{} }
func (c Recovery) until(time.Time) time.Time     { return c.Until }
func (c ConfirmEmail) until(time.Time) time.Time { return c.Until }
func (EmailTaken) until(time.Time) time.Time     { return time.Time{} }

func (Test) link() string            { return "" }
func (c Invitation) link() string    { return c.Link }
func (c SignIn) link() string        { return c.Link }
func (c NewDevice) link() string     { return c.Link }
func (c SignInChanged) link() string { return c.Link }
func (c Recovery) link() string      { return c.Link }
func (c ConfirmEmail) link() string  { return c.Link }
func (c EmailTaken) link() string    { return c.Link }

// content reads what a message says.
func (m Message) content() (Content, error) {
	switch m.Template {
	case Test{}.template():
		return decode[Test](m.Data)
	case Invitation{}.template():
		return decode[Invitation](m.Data)
	case SignIn{}.template():
		return decode[SignIn](m.Data)
	case NewDevice{}.template():
		return decode[NewDevice](m.Data)
	case SignInChanged{}.template():
		return decode[SignInChanged](m.Data)
	case Recovery{}.template():
		return decode[Recovery](m.Data)
	case ConfirmEmail{}.template():
		return decode[ConfirmEmail](m.Data)
	case EmailTaken{}.template():
		return decode[EmailTaken](m.Data)
	}
	return nil, fmt.Errorf("there is no template %q", m.Template)
}

func decode[C Content](data json.RawMessage) (c C, err error) {
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("data of the template %s: %w", c.template(), err)
	}
	return c, nil
}

// NewMessage makes a message, or says what is wrong with the address or the content.
func NewMessage(to, language string, c Content) (Message, error) {
	to, err := CheckAddress(to)
	if err != nil {
		return Message{}, err
	}
	if _, none := c.(Test); !none {
		u, err := url.Parse(c.link())
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || hasControls(c.link()) {
			return Message{}, errors.New("the link leads nowhere")
		}
	}
	data, err := json.Marshal(c)
	if err != nil {
		return Message{}, fmt.Errorf("data of the template %s: %w", c.template(), err)
	}
	return Message{To: to, Language: language, Template: c.template(), Data: data, Until: c.until(storage.Now())}, nil
}

// NewJob is the job that sends a message, to be added in the transaction that wants
// it sent. purpose names what it is for among all mails, such as an invitation's id, and
// no address: a second job of one purpose sends nothing, unless the first failed.
func NewJob(purpose string, m Message) storage.NewJob {
	return storage.NewJob{Kind: storage.Mail, Subject: purpose, Args: m}
}
