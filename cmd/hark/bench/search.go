package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"hark/cmd/hark/terminal"
	"hark/storage"
	"hark/storage/sqldb"
)

type searchCmd struct {
	Messages    int    `default:"100000" help:"Messages to search, of about 60 words."`
	Queries     int    `default:"300" help:"Queries of each class."`
	Parallel    int    `default:"1" help:"Queries at once; a query's time then includes what it waits for the others."`
	DatabaseURL string `env:"HARK_BENCH_DATABASE_URL" placeholder:"URL" help:"A Postgres database to measure on: an empty one, which is left full, or one that this command filled with as many messages before. A temporary SQLite when left out."`
}

// Help says what state the database is in when searches are timed.
func (b *searchCmd) Help() string {
	return "On Postgres the tables are vacuumed and analyzed before searches are timed, as autovacuum does within minutes on a database in service."
}

// Run fills a database and times searches by class.
func (b *searchCmd) Run(ctx context.Context) error {
	if b.Messages < 1 || b.Queries < 1 || b.Parallel < 1 {
		return errors.New("--messages, --queries and --parallel must be 1 or more")
	}
	url := b.DatabaseURL
	if url == "" {
		dir, err := os.MkdirTemp("", "hark-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		url = "sqlite://" + filepath.Join(dir, "hark.db")
	}
	db, err := sqldb.Open(ctx, sqldb.Config{URL: url, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	corpus := NewCorpus()
	began := time.Now()
	principal, err := b.fill(ctx, db, corpus)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d messages, kept in %.0f s (0 if an earlier run did)\n", db.Dialect(), b.Messages, time.Since(began).Seconds())
	if db.Dialect() == "postgres" {
		began = time.Now()
		if err := db.Vacuum(ctx); err != nil {
			return err
		}
		fmt.Printf("vacuumed and analyzed in %.0f s, as autovacuum does in service\n", time.Since(began).Seconds())
	}

	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "class\tp50\tp99\thits\t")
	for _, class := range corpus.classes(b.Queries) {
		took, hits, err := b.timeSearches(ctx, db, principal, class.queries)
		if err != nil {
			return fmt.Errorf("%s: %w", class.name, err)
		}
		at := func(q float64) float64 { return took[int(q*float64(len(took)-1))].Seconds() * 1000 }
		fmt.Fprintf(w, "%s\t%.1f ms\t%.1f ms\t%d\t\n", class.name, at(0.5), at(0.99), hits/len(took))
	}
	return w.Flush()
}

// timeSearches returns how long each query took, the quickest first, and the
// sum of their hits.
func (b *searchCmd) timeSearches(ctx context.Context, db *sqldb.DB, principal storage.Principal, queries []string) (took []time.Duration, hits int, err error) {
	took = make([]time.Duration, len(queries))
	totals := make([]int, len(queries))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(b.Parallel)
	for i, query := range queries {
		group.Go(func() error {
			began := time.Now()
			found, err := db.Search(ctx, principal, storage.Query{Text: query})
			if err != nil {
				return fmt.Errorf("search %q: %w", query, err)
			}
			took[i], totals[i] = time.Since(began), found.Total
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, 0, err
	}
	for _, n := range totals {
		hits += n
	}
	slices.Sort(took)
	return took, hits, nil
}

// fill makes 20 conversations and spreads the messages over them, some busier
// than others, unless it did so in an earlier run. It returns one who hears them all.
func (b *searchCmd) fill(ctx context.Context, db *sqldb.DB, c *corpus) (storage.Principal, error) {
	const (
		conversations = 20
		batch         = 500
	)
	principal, created, err := db.Bootstrap(ctx, "Bench", "Bench")
	if err != nil {
		return principal, err
	}
	if !created {
		events, err := db.LastSeq(ctx, principal) // one of each conversation and each message
		if err == nil && events != int64(conversations+b.Messages) {
			err = fmt.Errorf("the database is neither empty nor filled with %d messages by an earlier run", b.Messages)
		}
		return principal, err
	}
	var ids []string
	for i := range conversations {
		conv, _, err := db.CreateConversation(ctx, principal, storage.NewConversation{Kind: storage.Channel, Title: fmt.Sprintf("Conversation %d", i)})
		if err != nil {
			return principal, err
		}
		ids = append(ids, conv.ID)
	}
	bar := terminal.NewBar(os.Stderr, "keeping messages", int64(b.Messages))
	defer bar.Finish()
	for done := 0; done < b.Messages; {
		var messages []sqldb.Imported
		for range min(batch, b.Messages-done) {
			messages = append(messages, c.Message(ids[max(c.rng.IntN(conversations), c.rng.IntN(conversations))]))
		}
		if err := db.Import(ctx, principal, messages); err != nil {
			return principal, err
		}
		done += len(messages)
		bar.Set(int64(done))
	}
	return principal, nil
}
