package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"hark/cmd/hark/client"
	"hark/cmd/hark/instance"
	"hark/cmd/hark/terminal"
	"hark/media"
	"hark/storage"
	"hark/storage/sqldb"
)

type peopleCmd struct {
	Members     int    `default:"5000" help:"People in the workspace."`
	Entries     int    `default:"1000000" help:"Entries of the audit log."`
	Requests    int    `default:"300" help:"Requests of each kind."`
	Clips       int    `default:"200" help:"Messages to play, for what recording it costs."`
	DatabaseURL string `env:"HARK_BENCH_DATABASE_URL" placeholder:"URL" help:"An empty Postgres database to measure on, which is left full. A temporary SQLite when left out."`
}

// Help says what is measured.
func (b *peopleCmd) Help() string {
	return `A database is filled with members, invitations and an audit log whose entries are chained as all are; then a whole
Hark serves it, and the lists of members, invitations, usage and the audit log are asked for over HTTP, one request after the
other. Deep pages are reached by their cursors. An identity provider then asks for its users and changes some by SCIM, one
by one and a group of all of them, or of 5000. Playing asks for the sound of a message of 2 s.`
}

// peopleBench is a Hark that serves what was filled.
type peopleBench struct {
	*peopleCmd
	client *client.Client
	ids    []string  // of members
	token  string    // of an identity provider
	began  time.Time // of the first entry
	out    *tabwriter.Writer
}

// Run fills a database and times the lists.
func (b *peopleCmd) Run(ctx context.Context) error {
	if b.Members < 1 || b.Entries < 1 || b.Requests < 1 || b.Clips < 1 {
		return errors.New("--members, --entries, --requests and --clips must be 1 or more")
	}
	dir, err := os.MkdirTemp("", "hark-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	address := b.DatabaseURL
	if address == "" {
		address = "sqlite://" + filepath.Join(dir, "bench.db")
	}
	run := peopleBench{peopleCmd: b, out: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)}
	if err := run.prepare(ctx, address); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	// Nobody transcribes: an engine that is nowhere.
	hark, err := instance.Start(ctx, instance.Config{Binary: self, Data: dir, Env: []string{"HARK_DATABASE_URL=" + address, "HARK_ENGINE=openai", "HARK_OPENAI_URL=http://127.0.0.1:9"}})
	if err != nil {
		return err
	}
	defer hark.Kill()
	if run.client, err = hark.Client(); err != nil {
		return err
	}
	if err := run.timeLists(ctx); err != nil {
		return err
	}
	if err := run.provisioning(ctx); err != nil {
		return err
	}
	return run.playing(ctx, dir)
}

// prepare fills the database, and times verifying what it was filled with.
func (b *peopleBench) prepare(ctx context.Context, address string) error {
	db, err := sqldb.Open(ctx, sqldb.Config{URL: address, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	began := time.Now()
	principal, err := b.fill(ctx, db)
	if err != nil {
		return err
	}
	if err := db.Vacuum(ctx); err != nil {
		return err
	}
	fmt.Printf("%s, %d members and %d entries, kept in %.0f s\n", db.Dialect(), b.Members, b.Entries, time.Since(began).Seconds())
	began = time.Now()
	check, err := db.VerifyAudit(ctx, principal.WorkspaceID, "")
	if err != nil {
		return err
	}
	if !check.OK() {
		return fmt.Errorf("entry %d %s", check.Broken, check.Problem)
	}
	took := time.Since(began)
	fmt.Printf("%d entries verified in %.1f s, %.0f a second\n", check.Entries, took.Seconds(), float64(check.Entries)/took.Seconds())
	return nil
}

// fill makes members, with a credential each, invitations and the audit log.
func (b *peopleBench) fill(ctx context.Context, db *sqldb.DB) (storage.Principal, error) {
	principal, created, err := db.Bootstrap(ctx, "Bench", "Bench")
	if err == nil && !created {
		err = errors.New("the database is not empty")
	}
	if err != nil {
		return principal, err
	}
	bar := terminal.NewBar(os.Stderr, "adding members", int64(b.Members))
	for i := range b.Members - 1 {
		user, err := db.CreateUser(ctx, principal.WorkspaceID, fmt.Sprintf("Member Übermüller %d", i), storage.RoleMember)
		if err == nil {
			_, _, err = db.CreateToken(ctx, user.ID, storage.NewToken{Kind: storage.APIToken, Name: "laptop"})
		}
		if err == nil {
			err = db.SetEmail(ctx, user.ID, fmt.Sprintf("member%d@example.org", i))
		}
		if err == nil && i%10 == 0 {
			_, _, err = db.CreateInvitation(ctx, principal, storage.NewInvitation{Role: storage.RoleMember, Uses: 5, Life: storage.DefaultInvitationLife})
		}
		if err != nil {
			return principal, err
		}
		b.ids = append(b.ids, user.ID)
		bar.Set(int64(i + 1))
	}
	bar.Finish()
	_, b.token, err = db.CreateToken(ctx, principal.UserID, storage.NewToken{Kind: storage.APIToken, Name: "provider", Scopes: storage.Scopes(storage.ScopeProvision)})
	if err != nil {
		return principal, err
	}
	bar = terminal.NewBar(os.Stderr, "adding entries", int64(b.Entries))
	defer bar.Finish()
	b.began = time.Now() // what is recorded later is later, since times do not go back
	const batch = 5000
	for done := 0; done < b.Entries; done += batch {
		var entries []storage.AuditEntry
		for i := done; i < min(done+batch, b.Entries); i++ {
			entries = append(entries, b.entry(principal, i))
		}
		if err := db.ImportAudit(ctx, principal, entries); err != nil {
			return principal, err
		}
		bar.Set(int64(done + len(entries)))
	}
	return principal, nil
}

// busy is whom every second entry is by.
func (b *peopleBench) busy() string { return b.ids[0] }

// entry is the i-th: a second apart from the next, by a busy member or any, of
// playing as a rule, of what is done in a day, and one in 10,000 of what is rare.
func (b *peopleBench) entry(owner storage.Principal, i int) storage.AuditEntry {
	who, whom := b.busy(), b.ids[i*7%len(b.ids)]
	if i%2 == 1 {
		who = b.ids[i/2%len(b.ids)]
	}
	entry := storage.AuditEntry{
		At: b.began.Add(time.Duration(i) * time.Second), Action: storage.AuditMessagePlayed, Actor: storage.Actor{Kind: storage.ActorUser, ID: who, Name: "Member Übermüller"},
		CredentialID: owner.WorkspaceID, Address: "203.0.113.7", Agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		Target:  storage.Target{Kind: "message", ID: fmt.Sprintf("0197a3c2-0000-7d05-b1c6-%012d", i%50_000), ConversationID: fmt.Sprintf("0197a3c2-6a00-7b11-8c22-%012d", i%500)},
		Details: map[string]string{"author_id": whom, "form": "rendition"},
	}
	switch {
	case i%10_000 == 0:
		entry.Action, entry.Target, entry.Details = storage.AuditUserRoleChanged, storage.Target{Kind: "user", ID: whom}, map[string]string{"from": "member", "to": "admin"}
	case i%10 == 0:
		entry.Action, entry.Target, entry.Details = storage.AuditSignIn, storage.Target{Kind: "token", ID: owner.WorkspaceID}, map[string]string{"method": "password"}
	}
	return entry
}

// list is a list that is asked for.
type list struct {
	name, path string
	query      url.Values
	deep       bool // goes on by cursors, and begins again after the last page
}

// lists are the lists, as their pages ask for them.
func (b *peopleBench) lists() []list {
	middle := b.began.Add(time.Duration(b.Entries/2) * time.Second).UTC()
	day := middle.Truncate(24 * time.Hour)
	audit := func(pairs ...string) url.Values {
		query := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			query.Set(pairs[i], pairs[i+1])
		}
		return query
	}
	ofDay := func(pairs ...string) url.Values {
		return audit(append(pairs, "from", day.Format(time.RFC3339), "to", day.Add(24*time.Hour).Format(time.RFC3339))...)
	}
	common, rare := string(storage.AuditMessagePlayed), string(storage.AuditUserRoleChanged)
	return []list{
		{"members, first page", "/members", nil, false},
		{"members, page by page", "/members", nil, true},
		{"members, by a common name", "/members", audit("q", "uber"), true},
		{"members, by a name of one", "/members", audit("q", "member 77"), false},
		{"members, by a name of nobody", "/members", audit("q", "nobody"), false},
		{"invitations, first page", "/invitations", nil, false},
		{"invitations, page by page", "/invitations", nil, true},
		{"usage", "/usage", nil, false},
		{"usage by member, page by page", "/usage/members", nil, true},
		{"usage by member, by a name", "/usage/members", audit("q", "member 77"), false},
		{"audit, first page", "/audit", nil, false},
		{"audit, page by page", "/audit", nil, true},
		{"audit, from the middle on", "/audit", audit("to", middle.Format(time.RFC3339)), true},
		{"audit, by a busy person", "/audit", audit("actor", b.busy()), false},
		{"audit, by a busy person, page by page", "/audit", audit("actor", b.busy()), true},
		{"audit, by any person", "/audit", audit("actor", b.ids[len(b.ids)/2]), true},
		{"audit, of a common kind", "/audit", audit("action", common), false},
		{"audit, of a rare kind", "/audit", audit("action", rare), true},
		{"audit, of a kind that is none", "/audit", audit("action", string(storage.AuditMessageDeleted)), false},
		{"audit, of a day", "/audit", ofDay(), true},
		{"audit, of a day and a common kind", "/audit", ofDay("action", common), false},
		{"audit, of a day and a rare kind", "/audit", ofDay("action", rare), false},
		{"audit, of a day and a busy person", "/audit", ofDay("actor", b.busy()), false},
		{"audit, of a person and a rare kind", "/audit", audit("actor", b.busy(), "action", rare), false},
	}
}

// timeLists asks for each list again and again.
func (b *peopleBench) timeLists(ctx context.Context) error {
	fmt.Fprintln(b.out, "list\tp50\tp99\t")
	for _, one := range b.lists() {
		cursor := ""
		err := b.time(one.name, b.Requests, func(int) error {
			query := maps.Clone(one.query)
			if one.deep && cursor != "" {
				if query == nil {
					query = url.Values{}
				}
				query.Set("cursor", cursor)
			}
			var page struct {
				NextCursor string `json:"next_cursor"`
			}
			err := b.client.Get(ctx, one.path, query, &page)
			cursor = page.NextCursor
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	if err := b.out.Flush(); err != nil {
		return err
	}
	return b.export(ctx)
}

// time prints how long n requests take.
func (b *peopleBench) time(name string, n int, ask func(i int) error) error {
	took := make([]time.Duration, n)
	for i := range n {
		began := time.Now()
		if err := ask(i); err != nil {
			return err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	at := func(q float64) float64 { return took[int(q*float64(n-1))].Seconds() * 1000 }
	_, err := fmt.Fprintf(b.out, "%s\t%.1f ms\t%.1f ms\t\n", name, at(0.5), at(0.99))
	return err
}

// export times the whole log on its way out.
func (b *peopleBench) export(ctx context.Context) error {
	began := time.Now()
	resp, err := b.request(ctx, "GET", "/audit/export", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil {
		return err
	}
	fmt.Printf("%s exported in %.1f s\n", media.FormatBytes(n), time.Since(began).Seconds())
	return nil
}

func (b *peopleBench) request(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, b.client.Base+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return b.client.Send(req)
}
