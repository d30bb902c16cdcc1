package storage

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// policyCase is a row of the table: whether somebody of a role may do something.
type policyCase struct {
	May         string           `json:"may"`
	Role        Role             `json:"role"`
	Own         bool             `json:"own"`          // whether they made it, or are it
	To          Role             `json:"to"`           // role of the user whom it is done to; empty where it is done to nobody
	Becomes     Role             `json:"becomes"`      // role that is given; empty where none is
	OthersSpoke bool             `json:"others_spoke"` // whether a conversation has others' messages
	Kind        ConversationKind `json:"kind"`         // of a conversation that is made
	Rules       Rules            `json:"rules"`        // of the workspace; what is left out is by default
	Bot         bool             `json:"bot"`          // whether who asks is an integration
	ToBot       bool             `json:"to_bot"`       // whether the user whom it is done to is one
	Allowed     bool             `json:"allowed"`
}

var policyRules = map[string]func(p Principal, c policyCase) bool{
	"speak":              func(p Principal, _ policyCase) bool { return MaySpeak(p) },
	"changeMessage":      func(p Principal, c policyCase) bool { return MayChangeMessage(p, c.maker()) },
	"sendMessage":        func(p Principal, c policyCase) bool { return MaySendMessage(p, c.maker()) },
	"createConversation": func(p Principal, c policyCase) bool { return MayCreateConversation(p, c.Kind) },
	"changeConversation": func(p Principal, c policyCase) bool { return MayChangeConversation(p, c.maker()) },
	"deleteConversation": func(p Principal, c policyCase) bool { return MayDeleteConversation(p, c.maker(), c.OthersSpoke) },
	"addMember": func(p Principal, c policyCase) bool {
		return MayAddMember(p, User{ID: "a third", Role: c.To, Kind: kindOf(c.ToBot)})
	},
	"removeMember": func(p Principal, c policyCase) bool {
		return MayRemoveMember(p, c.maker(), User{ID: "a third", Role: c.To, Kind: kindOf(c.ToBot)})
	},
	"addMembers": func(p Principal, _ policyCase) bool { return MayAddMembers(p) },
	"leave": func(p Principal, c policyCase) bool {
		return MayRemoveMember(p, c.maker(), User{ID: "me", Role: p.Role})
	},
	"endCredentials": func(p Principal, c policyCase) bool {
		return MayEndCredentials(p, User{ID: c.maker(), Role: c.To, Kind: kindOf(c.ToBot)})
	},
	"manageMembers":  func(p Principal, _ policyCase) bool { return MayManageMembers(p) },
	"invite":         func(p Principal, c policyCase) bool { return MayInvite(p, c.Becomes) },
	"seeInvitations": func(p Principal, _ policyCase) bool { return MaySeeInvitations(p) },
	"changeRules":    func(p Principal, _ policyCase) bool { return MayChangeRules(p) },
	"changeRole": func(p Principal, c policyCase) bool {
		return MayChangeRole(p, User{ID: c.maker(), Role: c.To, Kind: kindOf(c.ToBot)}, c.Becomes)
	},
	"disable": func(p Principal, c policyCase) bool {
		return MayDisable(p, User{ID: c.maker(), Role: c.To, Kind: kindOf(c.ToBot)})
	},
	"recover": func(p Principal, c policyCase) bool {
		return MayRecover(p, User{ID: c.maker(), Role: c.To, Kind: kindOf(c.ToBot)})
	},
	"provision": func(p Principal, _ policyCase) bool { return MayProvision(asProvider(p)) },
	"provisionUser": func(p Principal, c policyCase) bool {
		return MayProvisionUser(asProvider(p), User{ID: c.maker(), Role: c.To})
	},
	"grantByGroup": func(p Principal, c policyCase) bool { return MayGrantByGroup(p, c.To, c.Becomes) },
	"makeProviderToken": func(p Principal, _ policyCase) bool {
		return acts(p) && MayMakeToken(User{ID: p.UserID, Kind: p.Kind, Role: p.Role}, Scopes(ScopeProvision))
	},
	"setPicture": func(p Principal, c policyCase) bool {
		return MaySetPicture(p, User{ID: c.maker(), Role: c.To, Kind: kindOf(c.ToBot)})
	},
	"removePicture": func(p Principal, c policyCase) bool { return MayRemovePicture(p, User{ID: c.maker(), Role: c.To}) },
	"rename":        func(p Principal, c policyCase) bool { return MayRename(p, c.maker()) },
	"readAudit":     func(p Principal, _ policyCase) bool { return MayReadAudit(p) },
	"changeAudit":   func(p Principal, _ policyCase) bool { return MayChangeAudit(p) },
	"setQuotas":     func(p Principal, _ policyCase) bool { return MaySetQuotas(p) },
	"nameWorkspace": func(p Principal, _ policyCase) bool { return MayNameWorkspace(p) },
	"seeEveryone":   func(p Principal, _ policyCase) bool { return MaySeeEveryone(p) },

	"speakToEveryone":    func(p Principal, _ policyCase) bool { return MaySpeakToEveryone(p) },
	"manageIntegrations": func(p Principal, _ policyCase) bool { return MayManageIntegrations(p) },
	"changeAccount":      func(p Principal, _ policyCase) bool { return MayChangeAccount(p, SessionToken) },
}

func kindOf(bot bool) UserKind {
	if bot {
		return KindIntegration
	}
	return KindPerson
}

// principal is who asks.
func (c policyCase) principal() Principal {
	return Principal{UserID: "me", Kind: kindOf(c.Bot), Role: c.Role, Rules: c.Rules}
}

// asProvider is p with the token of an identity provider, unless they came with less.
func asProvider(p Principal) Principal {
	if p.Scopes == "" {
		p.Scopes = Scopes(ScopeProvision)
	}
	return p
}

// maker is who made what the case is about.
func (c policyCase) maker() string {
	if c.Own {
		return "me"
	}
	return "other"
}

func policyTable(t *testing.T) []policyCase {
	t.Helper()
	printed, err := os.ReadFile("testdata/policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var table []policyCase
	if err := json.Unmarshal(printed, &table); err != nil {
		t.Fatal(err)
	}
	return table
}

// TestPolicy reads the table that the app's tests read, too. Each rule is tried
// with every role.
func TestPolicy(t *testing.T) {
	tried := map[string]map[Role]bool{}
	for _, c := range policyTable(t) {
		if tried[c.May] == nil {
			tried[c.May] = map[Role]bool{}
		}
		tried[c.May][c.Role] = true
		if got := policyRules[c.May](c.principal(), c); got != c.Allowed {
			t.Errorf("%+v: %v", c, got)
		}
	}
	for rule := range policyRules {
		if roles := slices.Collect(maps.Keys(tried[rule])); len(roles) != len(order) {
			t.Errorf("%s is tried with %v", rule, roles)
		}
	}
}

// With a signed address nobody may do anything, whoever signed it.
func TestPolicyOfSignedAddress(t *testing.T) {
	for _, c := range policyTable(t) {
		signed := c.principal()
		signed.Scopes = SoundOf("m")
		if policyRules[c.May](signed, c) {
			t.Errorf("%+v", c)
		}
	}
}

// TestOnlyPolicyComparesRoles reads the program: a rule that stands elsewhere is
// one that the table does not hold.
func TestOnlyPolicyComparesRoles(t *testing.T) {
	isRole := func(e ast.Expr) bool {
		name := ""
		switch e := e.(type) {
		case *ast.SelectorExpr:
			if from, ok := e.X.(*ast.Ident); ok && from.Name == "storage" {
				name = e.Sel.Name
			}
		case *ast.Ident:
			name = e.Name
		}
		return slices.Contains([]string{"Owner", "Admin", "RoleMember", "Guest"}, name)
	}
	read := 0
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == "node_modules" {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if own := filepath.Dir(path) == filepath.Join("..", "storage"); own && slices.Contains([]string{"policy.go", "identity.go"}, entry.Name()) {
			return nil
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		read++
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BinaryExpr:
				if (n.Op == token.EQL || n.Op == token.NEQ) && (isRole(n.X) || isRole(n.Y)) {
					t.Errorf("%s compares roles", files.Position(n.Pos()))
				}
			case *ast.CaseClause:
				if slices.ContainsFunc(n.List, isRole) {
					t.Errorf("%s tells roles apart", files.Position(n.Pos()))
				}
			}
			return true
		})
		return nil
	})
	if err != nil || read < 100 {
		t.Fatalf("read %d files: %v", read, err)
	}
}

// Groups raise anybody; they lower only who has a role that groups give.
func TestRoleAfter(t *testing.T) {
	managed := []Role{Admin, RoleMember}
	for name, c := range map[string]struct {
		current Role
		rule    RoleRule
		want    Role
	}{
		"no rule":                       {Admin, RoleRule{Otherwise: Guest}, Admin},
		"raised":                        {Guest, RoleRule{[]Role{RoleMember}, managed, Guest}, RoleMember},
		"the highest":                   {Guest, RoleRule{[]Role{RoleMember, Admin}, managed, Guest}, Admin},
		"lowered":                       {Admin, RoleRule{[]Role{RoleMember}, managed, Guest}, RoleMember},
		"in no group any more":          {Admin, RoleRule{nil, managed, Guest}, Guest},
		"an owner, whom no group makes": {Owner, RoleRule{[]Role{Admin}, managed, Guest}, Owner},
		"an owner in no group":          {Owner, RoleRule{nil, managed, Guest}, Owner},
		"an owner, whom groups make":    {Owner, RoleRule{[]Role{Admin}, []Role{Owner, Admin}, Guest}, Admin},
		"a guest in no group":           {Guest, RoleRule{nil, managed, RoleMember}, Guest},
	} {
		if got := RoleAfter(c.current, c.rule); got != c.want {
			t.Errorf("%s: %s, not %s", name, got, c.want)
		}
	}
}

// What is people's alone is in the table for integrations, whatever their role is said
// to be; a channel is handed to no integration.
func TestPolicyOfIntegrations(t *testing.T) {
	tried := map[string]bool{}
	for _, c := range policyTable(t) {
		if c.Bot {
			tried[c.May] = true
		}
	}
	for rule := range policyRules {
		if !tried[rule] {
			t.Errorf("%s is not tried as an integration", rule)
		}
	}
	for _, role := range order {
		if MayOwnChannel(User{Role: role, Kind: KindIntegration}) {
			t.Errorf("an integration that is %s is handed a channel", role)
		}
		if MayOwnChannel(User{Role: role}) != (role != Guest) {
			t.Errorf("a person who is %s", role)
		}
	}
	for role, want := range map[Role]bool{Owner: false, Admin: false, RoleMember: true, Guest: true, "": false, "boss": false} {
		if Fits(KindIntegration, role) != want {
			t.Errorf("integration as %q: not %v", role, want)
		}
	}
}

func TestJoinsAs(t *testing.T) {
	for role, want := range map[Role]bool{Owner: false, Admin: false, RoleMember: true, Guest: true, "": false, "boss": false} {
		if JoinsAs(role) != want {
			t.Errorf("%q: not %v", role, want)
		}
	}
}

// Nobody provisions with any other token, whatever that is good for.
func TestMayProvision(t *testing.T) {
	for _, scopes := range []Scopes{"", "admin", "admin read record write", "read", SoundOf("m")} {
		if p := (Principal{UserID: "me", Role: Owner, Scopes: scopes}); MayProvision(p) || MayProvisionUser(p, User{ID: "other", Role: Guest}) {
			t.Errorf("%q", scopes)
		}
	}
	if !MayMakeToken(User{Role: Guest}, "read") {
		t.Error("other tokens are bounded too")
	}
}
