package main

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// secret is a setting that nobody else may read. It comes from its variable of
// the environment or, where NAME_FILE is set, from that file; not from the
// command line, which every user of the machine can see. Line breaks at its
// end, which editors and orchestrators add, are no part of it.
type secret string

// Decode reads the value; see kong.MapperValue.
func (s *secret) Decode(ctx *kong.DecodeContext) error {
	var value string
	if err := ctx.Scan.PopValueInto("secret", &value); err != nil {
		return err
	}
	*s = secret(strings.TrimRight(value, "\r\n"))
	return nil
}

// String keeps the secret out of logs.
func (s secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

func isSecret(f *kong.Flag) bool { return f.Target.Type() == reflect.TypeFor[secret]() }

// credentials is the tag of settings that may hold a password among other
// things. They can be read from a file too.
const credentials = "credentials"

// fromFile reports whether a setting can be read from the file that NAME_FILE
// names.
func fromFile(f *kong.Flag) bool {
	return len(f.Envs) > 0 && (isSecret(f) || f.Tag.Has(credentials))
}

// readFile resolves a setting from its file.
func readFile(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
	if !fromFile(f) {
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

// checkCommandLine refuses secrets that were written on the command line.
func checkCommandLine(parsed *kong.Context) error {
	for _, path := range parsed.Path {
		f := path.Flag
		if f == nil || path.Resolved || !fromFile(f) {
			continue
		}
		if isSecret(f) || password.MatchString(fmt.Sprint(parsed.FlagValue(f))) {
			return fmt.Errorf("--%s: a secret on the command line can be read by every user of this machine; set %s, or %s_FILE to a file that holds it", f.Name, f.Envs[0], f.Envs[0])
		}
	}
	return nil
}

// hideSecrets leaves flags out of the help that no command line may use.
func hideSecrets(node *kong.Node) {
	for _, f := range node.Flags {
		f.Hidden = f.Hidden || isSecret(f)
	}
	for _, child := range node.Children {
		hideSecrets(child)
	}
}
