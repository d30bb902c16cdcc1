package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"hark/cmd/hark/config"
)

// parsed is a command line read as main reads it.
func parsed(t *testing.T, args ...string) (*cli, error) {
	t.Helper()
	c := new(cli)
	ctx, err := c.parser().Parse(args)
	if err == nil {
		err = config.CheckCommandLine(ctx)
	}
	return c, err
}

func TestSecretFromFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(" pass word \r\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HARK_S3_SECRET_KEY_FILE", file)
	t.Setenv("HARK_DATABASE_URL_FILE", file)
	t.Setenv("HARK_OPENAI_KEY", "key\n")
	c, err := parsed(t, "serve")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Serve.S3.SecretKey; got != " pass word " {
		t.Errorf("read %q", string(got))
	}
	if got := c.Serve.DatabaseURL; got != " pass word " {
		t.Errorf("read %q", got)
	}
	if got := c.Serve.Transcriber.OpenAIKey; got != "key" {
		t.Errorf("read %q", string(got))
	}

	t.Setenv("HARK_S3_SECRET_KEY", "sesame")
	if _, err := parsed(t, "serve"); err == nil || !strings.Contains(err.Error(), "HARK_S3_SECRET_KEY_FILE") || strings.Contains(err.Error(), "sesame") {
		t.Errorf("set in two ways: %v", err)
	}
	t.Setenv("HARK_S3_SECRET_KEY", "")
	t.Setenv("HARK_S3_SECRET_KEY_FILE", file+"x")
	if _, err := parsed(t, "serve"); err == nil || !strings.Contains(err.Error(), "HARK_S3_SECRET_KEY_FILE") {
		t.Errorf("a file that is not there: %v", err)
	}
}

// Everybody on the machine can read a command line.
func TestNoSecretsOnTheCommandLine(t *testing.T) {
	for _, args := range [][]string{
		{"serve", "--bootstrap-token=sesame"},
		{"serve", "--s3-secret-key", "sesame"},
		{"serve", "--openai-key=sesame"},
		{"serve", "--nats-password=sesame"},
		{"serve", "--nats-nkey=sesame"},
		{"search", "--token=sesame", "word"},
		{"serve", "--database-url=postgres://hark:sesame@localhost/hark"},
		{"migrate", "--database-url=postgres://localhost/hark?user=hark&password=sesame"},
		{"serve", "--nats-url=nats://a,nats://hark:sesame@b"},
		{"serve", "--ice-servers=stun:a:1,turn:ada:sesame@b:1"},
	} {
		_, err := parsed(t, args...)
		if err == nil || !strings.Contains(err.Error(), "_FILE") || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%v: %v", args, err)
		}
	}
	for _, args := range [][]string{
		{"serve", "--database-url=sqlite:///tmp/a.db"},
		{"serve", "--database-url=postgres://hark@localhost/hark"},
		{"serve", "--nats-url=nats://a:4222,nats://b:4222"},
		{"serve", "--ice-servers=stun:a:1"},
	} {
		if _, err := parsed(t, args...); err != nil {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// Whatever setting calls its value a secret is treated as one.
func TestSecretsAreSecrets(t *testing.T) {
	var look func(node *kong.Node)
	look = func(node *kong.Node) {
		for _, f := range node.Flags {
			if (f.PlaceHolder == "SECRET" || f.PlaceHolder == "SEED") && (!config.IsSecret(f) || !f.Hidden || len(f.Envs) == 0) {
				t.Errorf("--%s of %s is a secret that a command line may hold", f.Name, node.Name)
			}
		}
		for _, child := range node.Children {
			look(child)
		}
	}
	look(new(cli).parser().Model.Node)
}

// A variable that a script forgot to set is not taken for what is left out: that
// would be all scopes, the owner, or every conversation.
func TestEmptyIsNotLeftOut(t *testing.T) {
	for _, args := range [][]string{
		{"token", "create", "--scope", ""},
		{"token", "create", "--scope="},
		{"token", "create", "--user", ""},
		{"token", "list", "--workspace", ""},
		{"user", "disable", ""},
		{"user", "enable", ""},
		{"user", "rename", "", "Mia"},
		{"user", "sign-in", ""},
		{"audit", "verify", "--expect", ""},
		{"audit", "export", "--actor="},
		{"send", "-c", "", "note.wav"},
		{"search", "-c", "", "harbour"},
	} {
		if _, err := parsed(t, args...); err == nil || !strings.Contains(err.Error(), "empty") {
			t.Errorf("%q: %v", args, err)
		}
	}
	for _, args := range [][]string{
		{"token", "create"},
		{"token", "create", "--scope", "read,record"},
		{"user", "sign-in"},
		{"send", "--title", "", "note.wav"},
		{"user", "add", "--to", "", "Mia"},
		{"serve", "--public-url", ""},
	} {
		if _, err := parsed(t, args...); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}
