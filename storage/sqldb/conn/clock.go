package conn

import (
	"context"
	"sync"
	"time"
)

// Now is the time of the database's clock.
func (db *DB) Now(ctx context.Context) (now time.Time, err error) {
	err = db.Read(ctx, "read clock", func(ctx context.Context, s Session) error {
		now, err = s.Clock(ctx)
		return err
	})
	return now, err
}

// Clock is the time of the database's clock.
func (s Session) Clock(ctx context.Context) (time.Time, error) {
	var ms int64
	err := s.Get(ctx, &ms, `SELECT `+s.NowSQL())
	return time.UnixMilli(ms).UTC(), err
}

// steadyClock is a process's clock that is never set back: it follows the
// system's when that is set forward and, when that is set back, goes on at the
// same pace. It is safe for concurrent use.
type steadyClock struct {
	wall    func() time.Time
	elapsed func() time.Duration // since some moment; never set

	mu     sync.Mutex
	last   time.Time     // what wall and elapsed said last
	lastAt time.Duration // zero before the first time
	ahead  time.Duration // of wall
}

func newSteadyClock(wall func() time.Time) *steadyClock {
	if wall == nil {
		wall = time.Now
	}
	start := time.Now()
	return &steadyClock{wall: wall, elapsed: func() time.Duration { return time.Since(start) }}
}

func (c *steadyClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, at := c.wall().Round(0), c.elapsed()
	if !c.last.IsZero() {
		c.ahead = max(0, c.ahead+(at-c.lastAt)-wall.Sub(c.last))
	}
	c.last, c.lastAt = wall, at
	return wall.Add(c.ahead).UTC()
}

// mostSkew is how far a node's clock may be from the database's unremarked.
const mostSkew = 2 * time.Second

// compareClocks warns when this node's clock is not the database's: the times in
// its log, and those it checks against its own, are wrong.
func (db *DB) compareClocks(ctx context.Context) error {
	now, err := db.Now(ctx)
	if off := db.clock.now().Sub(now); err == nil && off.Abs() > mostSkew {
		db.log.WarnContext(ctx, "this machine's clock differs from the database's, which Hark goes by; have both follow a time server",
			"ahead", off.Round(time.Second).String())
	}
	return err
}
