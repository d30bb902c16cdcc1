package config

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// Secret is a setting that nobody else may read. It comes from its variable of
// the environment or, where NAME_FILE is set, from that file; not from the
// command line, which every user of the machine can see. Line breaks at its
// end, which editors and orchestrators add, are no part of it.
type Secret string

// Decode reads the value; see kong.MapperValue.
func (s *Secret) Decode(ctx *kong.DecodeContext) error {
	var value string
	if err := ctx.Scan.PopValueInto("secret", &value); err != nil {
		return err
	}
	*s = Secret(strings.TrimRight(value, "\r\n"))
	return nil
}

// String keeps the secret out of logs.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// IsSecret reports whether a setting is one.
func IsSecret(f *kong.Flag) bool { return f.Target.Type() == reflect.TypeFor[Secret]() }

// credentials is the tag of settings that may hold a password among other
// things. They can be read from a file too.
const credentials = "credentials"

// HasFile reports whether a setting can be read from the file that NAME_FILE
// names.
func HasFile(f *kong.Flag) bool {
	return len(f.Envs) > 0 && (IsSecret(f) || f.Tag.Has(credentials))
}

// ReadFile resolves a setting from its file.
func ReadFile(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
	if !HasFile(f) {
		return nil, nil
	}
	name := f.Envs[0]
	path := os.Getenv(name + "_FILE")
	if path == "" {
		return nil, nil
	}
	if os.Getenv(name) != "" {
		return nil, fmt.Errorf("both %s and %s_FILE are set; unset one", name, name)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s_FILE: %w", name, err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// password finds one in an address: before its host, or in the query.
var password = regexp.MustCompile(`[/:][^/@,]*:[^/@,]+@|[?&]password=`)

// blank is the tag of what may be given on the command line and be empty.
const blank = "blank"

// CheckCommandLine refuses secrets that were written on the command line, and what
// was given and is empty: that is a variable which a script forgot to set, and
// mostly means more than anything that it could have held, such as all scopes, or
// the owner. For settings, which have variables of their own, empty is the default.
func CheckCommandLine(parsed *kong.Context) error {
	for _, path := range parsed.Path {
		if name := emptyGiven(parsed, path); name != "" {
			return fmt.Errorf("%s: the value is empty; leave it out, or set what it was to come from", name)
		}
		f := path.Flag
		if f == nil || path.Resolved || !HasFile(f) {
			continue
		}
		if IsSecret(f) || password.MatchString(fmt.Sprint(parsed.FlagValue(f))) {
			return fmt.Errorf("--%s: a secret on the command line can be read by every user of this machine; set %s, or %s_FILE to a file that holds it", f.Name, f.Envs[0], f.Envs[0])
		}
	}
	return nil
}

// emptyGiven is what the command line calls a value that it has and that is empty;
// empty for all others.
func emptyGiven(parsed *kong.Context, path *kong.Path) string {
	value, name := path.Positional, ""
	switch f := path.Flag; {
	case f != nil && len(f.Envs) == 0 && !path.Resolved:
		value, name = f.Value, "--"+f.Name
	case value != nil:
		name = value.Summary()
	default:
		return ""
	}
	given := parsed.Value(path)
	if kind := given.Kind(); kind != reflect.String && kind != reflect.Slice || given.Len() > 0 || value.Tag.Has(blank) {
		return ""
	}
	return name
}

// HideSecrets leaves flags out of the help that no command line may use.
func HideSecrets(node *kong.Node) {
	for _, f := range node.Flags {
		f.Hidden = f.Hidden || IsSecret(f)
	}
	for _, child := range node.Children {
		HideSecrets(child)
	}
}
