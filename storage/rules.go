package storage

// Allowed says whom one of a workspace's rules lets do something. Guests it never
// does, and who may change the rules it never keeps from it.
type Allowed string

// Who may be let.
const (
	ByMembers Allowed = "members" // everybody but guests
	ByAdmins  Allowed = "admins"  // owners and admins
)

// Rules are what a workspace lets its members do. What is empty is as in
// [DefaultRules].
type Rules struct {
	InviteMembers  Allowed `db:"invite_members" json:"invite_members,omitempty"`
	InviteGuests   Allowed `db:"invite_guests" json:"invite_guests,omitempty"` // and add guests to channels
	CreateChannels Allowed `db:"create_channels" json:"create_channels,omitempty"`
	SeeDirectory   Allowed `db:"see_directory" json:"see_directory,omitempty"` // others know whom they share a conversation with
}

// DefaultRules are those of a workspace for which nobody has chosen others.
var DefaultRules = Rules{InviteMembers: ByAdmins, InviteGuests: ByAdmins, CreateChannels: ByMembers, SeeDirectory: ByMembers}

// Whole are the rules with nothing empty.
func (r Rules) Whole() Rules {
	whole := DefaultRules
	for i, one := range r.Each() {
		if *one.Allowed != "" {
			*whole.Each()[i].Allowed = *one.Allowed
		}
	}
	return whole
}

// Rule is one of the rules, by the name that the API and the audit log have for it.
type Rule struct {
	Name    string
	Allowed *Allowed
}

// Each are the rules one by one.
func (r *Rules) Each() []Rule {
	return []Rule{
		{"invite_members", &r.InviteMembers},
		{"invite_guests", &r.InviteGuests},
		{"create_channels", &r.CreateChannels},
		{"see_directory", &r.SeeDirectory},
	}
}

// CheckRules checks rules of which some may be empty.
func CheckRules(r Rules) error {
	for _, one := range r.Each() {
		if *one.Allowed == "" {
			continue
		}
		if err := oneOf(one.Name, *one.Allowed, ByMembers, ByAdmins); err != nil {
			return err
		}
	}
	return nil
}

// Standing is what a user may do that can change while they are let in.
type Standing struct {
	Role  Role
	Rules Rules // of their workspace
}

// Is says whether the principal was let in with this standing.
func (s Standing) Is(p Principal) bool { return s.Role == p.Role && s.Rules.Whole() == p.Rules.Whole() }
