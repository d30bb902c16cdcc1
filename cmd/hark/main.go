// Command hark is the whole of Hark: the server and its workers, and the tools
// to administer, feed, search and measure it.
//
// The sub-commands are thin. What can be set is in package config; package
// server opens the engines and is the one that sees both sides of every
// interface; client and terminal are what the commands share that speak to a
// running Hark; bench measures.
package main

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/alecthomas/kong"

	"hark/cmd/hark/config"
	"hark/cmd/hark/terminal"
	"hark/media/decode/confine"
	"hark/storage"
)

// version is set by the linker.
var version = "dev"

type cli struct {
	Serve       serveCmd       `cmd:"" group:"server" help:"Start Hark: the API and the workers."`
	Migrate     migrateCmd     `cmd:"" group:"server" help:"Migrate the database to this version's schema."`
	Reindex     reindexCmd     `cmd:"" group:"server" help:"Rebuild records from the object store after the database was lost or restored from an older backup."`
	Orphans     orphansCmd     `cmd:"" group:"server" help:"List, remove and restore objects without a record."`
	Jobs        jobsCmd        `cmd:"" group:"server" help:"Show the jobs that wait, run and failed, by kind."`
	Mail        mailCmd        `cmd:"" group:"server" help:"Test whether mails can be sent."`
	Models      modelsCmd      `cmd:"" group:"server" help:"List, fetch and verify speech models."`
	User        userCmd        `cmd:"" group:"people" help:"Manage users."`
	Integration integrationCmd `cmd:"" group:"people" help:"Manage integrations: programs that take part with a name and API tokens of their own."`
	Invite      inviteCmd      `cmd:"" group:"people" help:"Manage invitations, by whose links people join."`
	Token       tokenCmd       `cmd:"" group:"people" help:"Manage API tokens."`
	Workspace   workspaceCmd   `cmd:"" group:"people" help:"Manage the workspace."`
	Audit       auditCmd       `cmd:"" group:"people" help:"List, export and verify the audit log."`
	Send        sendCmd        `cmd:"" group:"use" help:"Send recordings to a conversation."`
	Search      searchCmd      `cmd:"" group:"use" help:"Search messages by what was said."`
	Bench       benchCommands  `cmd:"" group:"bench" help:"Measure Hark on this machine."`
	Version     versionCmd     `cmd:"" group:"server" help:"Print the version."`
}

func main() {
	// What this process and its children make is their owner's alone.
	umask := callersUmask(syscall.Umask(0o077))
	confine.Main() // does not return in a confined child
	os.Exit(run(os.Args[1:], umask))
}

// callersUmask is the umask that the program was started with. It is for files
// that are not Hark's own.
type callersUmask int

func run(args []string, umask callersUmask) int {
	ctx, stop := stopSignals(context.Background())
	defer stop()
	var c cli
	parser := c.parser()
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	config.WarnUnknown(ctx, parser.Model.Node, os.Environ(), c.Serve.NewLogger())
	if err == nil {
		err = config.CheckCommandLine(parsed)
	}
	if err != nil {
		parser.Stdout = os.Stderr // standard output is for what was asked
		parser.FatalIfErrorf(err)
	}
	ctx = storage.WithOrigin(ctx, operator(parsed.Command()))
	parsed.BindTo(ctx, (*context.Context)(nil))
	parsed.Bind(umask)
	if err = parsed.Run(); err != nil {
		if text := said(ctx, err); text != "" {
			fmt.Fprintln(os.Stderr, "hark:", text)
		}
	}
	return exitCode(ctx, err)
}

// parser reads the command line and the environment into c.
func (c *cli) parser() *kong.Kong {
	parser, err := kong.New(c,
		kong.Name("hark"),
		kong.Description("Self-hosted asynchronous voice: say it once, find it by any word.\n\nExit codes: 0 done, 1 failed or nothing found, 2 wrong usage, 130 interrupted."),
		kong.ShortUsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "server", Title: "Server:"},
			{Key: "people", Title: "People and tokens:"},
			{Key: "use", Title: "Messages:"},
			{Key: "bench", Title: "Measurements:"},
		}),
		kong.Resolvers(kong.ResolverFunc(config.ReadFile)),
		kong.Exit(func(code int) { // after help, or a command that cannot be understood
			if code != 0 {
				code = exitUsage
			}
			os.Exit(code)
		}),
	)
	if err != nil {
		panic(err) // the grammar above is wrong
	}
	config.HideSecrets(parser.Model.Node)
	return parser
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	return terminal.PrintLine("hark " + version)
}
