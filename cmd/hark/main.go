// Command hark is the whole of Hark: the server and its workers, and the tools
// to administer, feed, search and measure it.
//
// This is the only package that sees both sides of every interface: it opens
// the engines (database, objects, bus, recogniser), hands each to those who
// ask for it, and ends them in order. [Program] is that wiring; the
// sub-commands are thin.
package main

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/alecthomas/kong"

	"hark/media/decode"
)

// version is set by the linker.
var version = "dev"

type cli struct {
	Serve   serveCmd   `cmd:"" help:"Start Hark: the API and the workers, with everything they need."`
	Migrate migrateCmd `cmd:"" help:"Bring the database to this version's schema."`
	Reindex reindexCmd `cmd:"" help:"Make the records again that the object store tells of, when the database was lost or is older."`
	Orphans orphansCmd `cmd:"" help:"List and remove objects that no record has."`
	Models  modelsCmd  `cmd:"" help:"List, fetch and verify speech models."`
	User    userCmd    `cmd:"" help:"Administer users."`
	Token   tokenCmd   `cmd:"" help:"Administer API tokens."`
	Send    sendCmd    `cmd:"" help:"Send recordings to a conversation."`
	Search  searchCmd  `cmd:"" help:"Find messages by words that were said."`
	Bench   benchCmd   `cmd:"" help:"Measure Hark on this machine."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	// What this process and its children make is their owner's alone.
	umask := callersUmask(syscall.Umask(0o077))
	decode.SandboxMain() // does not return in a confined child
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
	parsed, err := parser.Parse(args)
	warnUnknown(ctx, parser.Model.Node, os.Environ(), c.Serve.logger())
	if err == nil {
		err = checkCommandLine(parsed)
	}
	if err != nil {
		parser.Stdout = os.Stderr // standard output is for what was asked
		parser.FatalIfErrorf(err)
	}
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
		kong.Description("Self-hosted asynchronous voice: say it once, find it by a word.\n\nExit codes: 0 done, 1 failed or nothing found, 2 asked wrongly, 130 interrupted."),
		kong.ShortUsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Resolvers(kong.ResolverFunc(readFile)),
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
	hideSecrets(parser.Model.Node)
	return parser
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	return printLine("hark " + version)
}
