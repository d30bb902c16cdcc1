package storage

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// ErrInvalid is the error of a value that is none of those that may be kept.
// Whoever takes in what people send has refused it before; this is the last
// check. An [InvalidError] says which value it is.
var ErrInvalid = errors.New("not valid")

// InvalidError is an [ErrInvalid] that names the value.
type InvalidError struct {
	Field   string // as the API names it
	Problem string // for the sender: what is wrong with it
}

// Error names the field and the problem.
func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Problem) }

// Is makes it an ErrInvalid.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Bounds of what a conversation and a credential may be.
const (
	MaxNewMembers = 200                       // users that a conversation is made with, beside its maker
	MaxTokenLife  = 10 * 365 * 24 * time.Hour // of a credential that ends
)

// CheckConversation checks what a conversation is made with.
func CheckConversation(n NewConversation) error {
	if len(n.MemberIDs) > MaxNewMembers {
		return &InvalidError{"member_ids", fmt.Sprintf("must be at most %d users", MaxNewMembers)}
	}
	if err := oneOf("kind", n.Kind, Channel, Direct); err != nil {
		return err
	}
	return CheckHistory(n.Kind, n.History)
}

// CheckHistory checks what a conversation is to show of its past; empty for no choice.
func CheckHistory(kind ConversationKind, h History) error {
	if kind == Direct && h == HistoryFromJoining {
		return &InvalidError{"history", "must be all in a direct conversation, to which nobody is added"}
	}
	return oneOf("history", h, "", HistoryAll, HistoryFromJoining)
}

// CheckToken checks what a credential is made with.
func CheckToken(n NewToken) error {
	if n.Life < 0 || n.Life > MaxTokenLife {
		return &InvalidError{"expires_in", fmt.Sprintf("must be 0 to %d seconds", int64(MaxTokenLife.Seconds()))}
	}
	return oneOf("kind", n.Kind, APIToken, SessionToken, SignInToken)
}

// CheckIntegration checks what an integration is made with, and brings it to the form in
// which it is kept.
func CheckIntegration(n NewIntegration) (NewIntegration, error) {
	var err error
	if n.Name, err = CleanName(n.Name); err != nil {
		return n, err
	}
	if n.Description, err = CleanDescription(n.Description); err != nil {
		return n, err
	}
	if n.Role = cmp.Or(n.Role, Guest); !Fits(KindIntegration, n.Role) {
		return n, oneOf("role", n.Role, RoleMember, Guest)
	}
	if len(n.ConversationIDs) > MaxIntegrationConversations {
		return n, &InvalidError{"conversation_ids", fmt.Sprintf("must be at most %d channels", MaxIntegrationConversations)}
	}
	return n, nil
}

// CleanDescription brings what an integration is for to the form in which it is kept:
// like a name, and it may be empty.
func CleanDescription(text string) (string, error) {
	text = norm.NFC.String(strings.Join(strings.Fields(visible(Printable(text))), " "))
	if n := utf8.RuneCountInString(text); n > MaxDescription {
		return "", &InvalidError{"description", fmt.Sprintf("must be %d characters or fewer, and has %d", MaxDescription, n)}
	}
	return text, nil
}

// CheckIntegrationToken checks what a token of an integration is made with.
func CheckIntegrationToken(n NewToken) error {
	if n.Kind != APIToken {
		return ErrNoPerson
	}
	if n.Scopes == "" || n.Scopes.Allow(ScopeAdmin) {
		return &InvalidError{"scopes", "must be of read, write, record and conversation:ID: an integration manages nothing"}
	}
	return nil
}

// CheckRole checks a user's role.
func CheckRole(role Role) error { return oneOf("role", role, Owner, Admin, RoleMember, Guest) }

// CheckCaptions checks who is to see live captions.
func CheckCaptions(to CaptionAudience) error {
	return oneOf("captions", to, CaptionsOff, CaptionsPrivate, CaptionsConversation)
}

// CheckRecording checks what a recording is begun with. Nobody is shown what is
// said in a draft but who says it.
func CheckRecording(r NewRecording) error {
	if r.Unsent && r.Captions == CaptionsConversation {
		return &InvalidError{"captions", "must not be for the conversation while the message is a draft"}
	}
	return CheckCaptions(r.Captions)
}

func oneOf[T ~string](field string, value T, allowed ...T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return &InvalidError{field, fmt.Sprintf("must be one of %q", allowed)}
}
