package storage

import (
	"fmt"
	"time"
)

// Bounds of an invitation.
const (
	MinInvitationLife          = time.Hour
	MaxInvitationLife          = 30 * 24 * time.Hour
	DefaultInvitationLife      = 7 * 24 * time.Hour
	MaxInvitationUses          = 1000
	MaxInvitationConversations = 20
)

// InvitationMail is the subject of the job that mails an invitation's link.
func InvitationMail(id string) string { return "invitation " + id }

// InvitationState says whether somebody can still join by an invitation.
type InvitationState string

// The states of an invitation.
const (
	InvitationOpen    InvitationState = "open"
	InvitationUsedUp  InvitationState = "used_up"
	InvitationExpired InvitationState = "expired"
	InvitationRevoked InvitationState = "revoked"
)

// Invitation lets people join a workspace by a link. The link has a code that is
// shown once, when the invitation is made; only the SHA-256 of it is kept.
type Invitation struct {
	ID          string
	WorkspaceID string
	Role        Role // of who joins by it
	Uses        int  // how many may join by it
	Used        int  // how many have
	State       InvitationState
	CreatedBy   User // id, name and number alone
	CreatedAt   time.Time
	ExpiresAt   time.Time
	Email       string // address that the link was mailed to; empty for none

	// Conversations are those that who joins is put into, as far as who asks is in
	// them.
	Conversations []InvitedTo
	// Joined are the last who came by it, at most 20: id, name and number alone.
	Joined []User
}

// InvitedTo is a conversation that an invitation leads into.
type InvitedTo struct {
	ID    string
	Title string
}

// NewInvitation is what an invitation is made with.
type NewInvitation struct {
	Role            Role          // member or guest
	Uses            int           // 1 to 1000
	Life            time.Duration // 1 hour to 30 days
	ConversationIDs []string      // channels that the principal is in; one or more for guests

	// Email is the address that the link goes to; empty for none. Mail makes the job
	// that sends it, which is added with the invitation; it is nil where Email is empty.
	Email string
	Mail  func(i Invitation, workspace, code string) (NewJob, error)
}

// CheckInvitation checks what an invitation is made with.
func CheckInvitation(n NewInvitation) error {
	switch {
	case n.Uses < 1 || n.Uses > MaxInvitationUses:
		return &InvalidError{"uses", fmt.Sprintf("must be 1 to %d", MaxInvitationUses)}
	case n.Life < MinInvitationLife || n.Life > MaxInvitationLife:
		return &InvalidError{"expires_in", fmt.Sprintf("must be %d to %d seconds", int64(MinInvitationLife.Seconds()), int64(MaxInvitationLife.Seconds()))}
	case len(n.ConversationIDs) > MaxInvitationConversations:
		return &InvalidError{"conversation_ids", fmt.Sprintf("must be at most %d conversations", MaxInvitationConversations)}
	case !JoinsGeneral(n.Role) && len(n.ConversationIDs) == 0:
		return &InvalidError{"conversation_ids", "must name a conversation: a guest is only where they are invited"}
	}
	return oneOf("role", n.Role, RoleMember, Guest)
}

// InvitationError is the error of an invitation by which nobody can join any more.
type InvitationError struct{ State InvitationState }

// Error says why.
func (e *InvitationError) Error() string { return "invitation is " + string(e.State) }

// Is makes it an ErrExpired.
func (e *InvitationError) Is(target error) bool { return target == ErrExpired }

// Welcome is what an invitation tells who opens its link.
type Welcome struct {
	WorkspaceID   string
	Workspace     string
	Inviter       string
	Role          Role
	Conversations []string // their titles
	Email         string   // address that it was mailed to, which who has the link is not told; empty for none
}

// Joined is somebody who has joined by an invitation, and is signed in.
type Joined struct {
	Session        Token
	Secret         string // of the session
	ConversationID string // to open first; empty for none in particular
}
