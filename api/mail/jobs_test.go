package mail_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"hark/api/mail"
	"hark/media/backoff"
	"hark/storage"
	"hark/storage/bus"
	"hark/storage/sqldb"
	"hark/storage/storagetest"
	"hark/storage/work"
)

// lines is a log that the test reads.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// node is a database, a queue, and a worker that sends mails.
type node struct {
	t         *testing.T
	db        *sqldb.DB
	bus       *bus.Bus
	workspace string
	log       lines
}

func newNode(t *testing.T, db *sqldb.DB) *node {
	t.Helper()
	n := &node{t: t, db: db}
	queue, err := bus.Serve(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Close() })
	if n.bus, err = bus.Connect(t.Context(), bus.Config{Embedded: queue, Prefix: "mail", Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.bus.Close() })
	owner, _, err := db.Bootstrap(t.Context(), "Hark", "Owner")
	if err != nil {
		t.Fatal(err)
	}
	n.workspace = owner.WorkspaceID
	return n
}

// add adds a mail, and has it published as the leader does.
func (n *node) add(purpose string, m mail.Message) {
	n.t.Helper()
	err := n.db.AddJob(n.t.Context(), n.workspace, mail.NewJob(purpose, m))
	due, dueErr := n.db.DueJobs(n.t.Context(), 10)
	err = errors.Join(err, dueErr)
	for _, job := range due {
		err = errors.Join(err, n.bus.PublishJob(n.t.Context(), job))
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

// work sends what is to be sent, until so many jobs have ended.
func (n *node) work(s *mail.Sender, jobs int) {
	n.t.Helper()
	ctx, stop := context.WithTimeout(n.t.Context(), time.Minute)
	defer stop()
	kind := s.Kind()
	kind.Waits, kind.Lease = backoff.Policy{First: 10 * time.Millisecond}, time.Second
	var mu sync.Mutex
	kind.Ended = func(context.Context, storage.Job) {
		mu.Lock()
		defer mu.Unlock()
		if jobs--; jobs == 0 {
			stop()
		}
	}
	w, err := work.NewWorker(n.db, n.bus, work.Config{Name: "node", Logger: slog.New(slog.NewTextHandler(&n.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, kind)
	if err == nil {
		err = w.Run(ctx, n.t.Context())
	}
	if err != nil || jobs > 0 {
		n.t.Errorf("%d jobs have not ended: %v", jobs, err)
	}
}

// wantQuiet fails when the log has an address or a link.
func (n *node) wantQuiet() {
	n.t.Helper()
	if log := n.log.text.String(); strings.Contains(log, "@") || strings.Contains(log, "s3cret") || strings.Contains(log, "hark.example") || log == "" {
		n.t.Errorf("the log has secrets:\n%s", log)
	}
}

// A mail that was put off is sent once, however often it is asked for, and nothing of
// it is left.
func TestJobSendsOnce(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		n := newNode(t, db)
		var tries int
		s := serve(t, func(s *server, _ *smtp.Server) {
			s.rcpt = func() error {
				if tries++; tries <= 2 {
					return says(451, "ada@example.net is greylisted, see https://example.com/grey")()
				}
				return nil
			}
		})
		invitation := message(t, "ada@example.net", "de", contents[1])
		invitation.Until = time.Time{}
		for range 3 {
			n.add("invitation 1", invitation)
		}
		n.work(s.sender(t, nil), 1)
		n.add("invitation 1", invitation) // a request that comes late
		n.add("invitation 2", invitation)
		n.work(s.sender(t, nil), 1)
		if got := s.all(); len(got) != 2 || tries != 4 {
			t.Fatalf("%d mails after %d tries", len(got), tries)
		}
		first, second := readMail(t, s.all()[0].data), readMail(t, s.all()[1].data)
		if first.Get("Message-Id") == second.Get("Message-Id") || !strings.Contains(first.text, "s3cret") {
			t.Errorf("%v, %v", first.Header, second.Header)
		}
		n.wantQuiet()
		if failed, err := db.FailedJobs(t.Context(), 9); err != nil || len(failed) > 0 {
			t.Errorf("failed %v, %v", failed, err)
		}
	})
}

// What can never be sent fails for good, with a reason that has no address, and may be
// asked for again.
func TestJobFailsForGood(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		n := newNode(t, db)
		refusing := true
		s := serve(t, func(s *server, _ *smtp.Server) {
			s.data = func() error {
				return says(554, "Blocked: HTTPS://Hark.example.org/join?code=s3cret is listed, see https://example.com/list")()
			}
			s.rcpt = func() error {
				if refusing {
					return says(550, "<ada@example.net>: Recipient address rejected: User unknown in table of mail@example.org")()
				}
				return nil
			}
		})
		signIn := message(t, "ada@example.net", "en", contents[2])
		late := signIn
		late.Until = time.Now().Add(-time.Second)
		foreign := signIn
		foreign.Template = "newsletter"
		n.add("refused", signIn)
		n.add("late", late)
		n.add("foreign", foreign)
		n.work(s.sender(t, nil), 3)
		failed, err := db.FailedJobs(t.Context(), 9)
		reasons := map[string]string{}
		for _, f := range failed {
			reasons[f.Subject] = f.Reason
			if f.Attempt != 1 || f.Kind != storage.Mail {
				t.Errorf("%+v", f)
			}
		}
		if err != nil || len(s.all()) > 0 || reasons["late"] != "It could not be sent before what it says had run out." ||
			!strings.Contains(reasons["refused"], "the server refused the recipient: 550") || !strings.Contains(reasons["refused"], "<[address]>: Recipient address rejected") ||
			strings.Contains(reasons["refused"], "@") || !strings.Contains(reasons["foreign"], `no template "newsletter"`) {
			t.Errorf("%d mails were sent, failed are %v, %v", len(s.all()), reasons, err)
		}
		n.wantQuiet()
		refusing = false
		n.add("refused", signIn)
		n.work(s.sender(t, nil), 1)
		failed, err = db.FailedJobs(t.Context(), 1)
		if len(s.all()) != 1 || err != nil || !strings.HasSuffix(failed[0].Reason, "Blocked: [link] is listed, see https://example.com/list") {
			t.Errorf("asked for again, %d mails were sent: %+v, %v", len(s.all()), failed, err)
		}
		n.wantQuiet()
	})
}

// A server that does not let us in is tried again: the operator may mend that.
func TestJobWaitsForPassword(t *testing.T) {
	n := newNode(t, storagetest.New(t))
	s := plain(t)
	n.add("test", message(t, "ada@example.net", "en", mail.Test{}))
	wrong := s.sender(t, func(c *mail.Config) { c.Server.User, c.Server.Password = user, "wrong" })
	ref, err := n.db.DueJobs(t.Context(), 1)
	if err != nil || len(ref) != 1 {
		t.Fatal(ref, err)
	}
	runner, err := work.NewRunner(n.db, work.Config{Name: "node", Logger: slog.New(slog.NewTextHandler(&n.log, nil))}, wrong.Kind())
	if err != nil {
		t.Fatal(err)
	}
	if out := runner.Run(t.Context(), ref[0].ID); out.Done || out.RetryAfter < 5*time.Second || out.RetryAfter > 10*time.Second {
		t.Errorf("outcome %+v", out)
	}
	if log := n.log.text.String(); !strings.Contains(log, "535") || strings.Contains(log, "@") {
		t.Errorf("log %s", log)
	}
	n.work(s.sender(t, func(c *mail.Config) { c.Server.User, c.Server.Password = user, password }), 1)
	if len(s.all()) != 1 {
		t.Errorf("%d mails", len(s.all()))
	}
}

// A process that is killed when the server has the mail, and before it heard so, leaves
// the job to another, which sends the mail again: both have one Message-ID.
func TestKilledBetweenDataAndAnswer(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *sqldb.DB) {
		n := newNode(t, db)
		hold := make(chan struct{})
		s := serve(t, func(s *server, _ *smtp.Server) { s.data = func() error { <-hold; return nil } })
		n.add("test", message(t, "ada@example.net", "en", mail.Test{}))
		due, err := db.DueJobs(t.Context(), 1)
		if err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		job, err := db.BeginJob(t.Context(), storage.Mail, due[0].ID, "killed", 500*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		ctx, kill := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		sender := s.sender(t, nil)
		go func() { ended <- sender.Handle(ctx, &work.Attempt{Job: job}) }()
		<-s.came
		kill() // its connection ends, and it tells the database nothing
		if err := <-ended; err == nil {
			t.Error("it heard an answer")
		}
		close(hold)
		n.work(sender, 1)
		if len(s.all()) != 2 {
			t.Fatalf("%d mails", len(s.all()))
		}
		first, second := readMail(t, s.all()[0].data), readMail(t, s.all()[1].data)
		if id := first.Get("Message-Id"); id != second.Get("Message-Id") || !strings.HasPrefix(id, "<"+job.ID+".") {
			t.Errorf("sent as %s and %s", id, second.Get("Message-Id"))
		}
	})
}

// What stands in a job's args is read by the node that sends, which may be of another
// version.
func TestArgs(t *testing.T) {
	args, err := json.Marshal(mail.NewJob("x", message(t, "ada@example.net", "de", mail.SignIn{Link: "https://example.org/s", Minutes: 5, Device: "Firefox"})).Args)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(args, &got); err != nil {
		t.Fatal(err)
	}
	ends, err := time.Parse(time.RFC3339, got["until"].(string))
	if left := time.Until(ends); err != nil || left > 5*time.Minute || left < 4*time.Minute {
		t.Errorf("it is of use until %v, %v", got["until"], err)
	}
	delete(got, "until")
	want := `{"data":{"device":"Firefox","link":"https://example.org/s","minutes":5},"language":"de","template":"sign_in","to":"ada@example.net"}`
	if b, err := json.Marshal(got); err != nil || string(b) != want {
		t.Errorf("args %s, want %s", b, want)
	}
}
