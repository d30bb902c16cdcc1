package whip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// ErrNoAddress means that there is no address to give to clients: none
// of [Config.Public] could be looked up yet. It is tried again all the time.
var ErrNoAddress = errors.New("no public address is known yet")

const (
	defaultLookupEvery = time.Minute
	retryLookup        = 5 * time.Second // the most between tries while a name is not known
	lookupTime         = 3 * time.Second
)

// publicAddresses are what clients get instead of the machine's own
// addresses. Names are looked up in the background; sessions never wait for it.
type publicAddresses struct {
	named    []string
	resolver *net.Resolver
	every    time.Duration
	log      *slog.Logger

	mu      sync.Mutex
	known   map[string][]netip.Addr // what each name last stood for
	missing error                   // names that never stood for anything
}

// watch looks the names up until ctx ends.
func (p *publicAddresses) watch(ctx context.Context) {
	for {
		wait := p.every
		if p.ready() != nil {
			wait = min(wait, retryLookup)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			p.lookup(ctx)
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// lookup looks the names up once. What a name last stood for holds while it
// cannot be looked up.
func (p *publicAddresses) lookup(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found := make(map[string][]netip.Addr, len(p.named))
	var failed error
	for _, name := range p.named {
		addrs, err := p.resolve(ctx, name)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("look up the public address %s: %w", name, err))
			continue
		}
		found[name] = addrs
	}
	if ctx.Err() != nil && context.Cause(ctx) == context.Canceled { //nolint:errorlint // exactly that: the server closes
		return
	}
	p.note(ctx, found, failed)
}

func (p *publicAddresses) resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(name); err == nil {
		return []netip.Addr{addr.Unmap()}, nil
	}
	addrs, err := p.resolver.LookupNetIP(ctx, "ip", name)
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	return addrs, err
}

// note keeps what was found.
func (p *publicAddresses) note(ctx context.Context, found map[string][]netip.Addr, failed error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.missing
	p.missing = nil
	for _, name := range p.named {
		if addrs, ok := found[name]; ok {
			p.known[name] = addrs
		}
		if len(p.known[name]) == 0 {
			p.missing = failed
		}
	}
	switch {
	case p.missing != nil:
		p.log.WarnContext(ctx, "public address lookup failed, retrying", "error", failed)
	case before != nil:
		p.log.InfoContext(ctx, "public addresses found", "names", p.named)
	case failed != nil:
		p.log.WarnContext(ctx, "public address lookup failed, using the last known address", "error", failed)
	}
}

// ready returns nil when every name stands for an address.
func (p *publicAddresses) ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.missing
}

// addresses are those to tell clients, in the order of the names; none where
// there are no names. With names of which none is known it is ErrNoAddress.
func (p *publicAddresses) addresses() ([]netip.Addr, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []netip.Addr
	for _, name := range p.named {
		all = append(all, p.known[name]...)
	}
	if len(p.named) > 0 && len(all) == 0 {
		return nil, ErrNoAddress
	}
	return all, nil
}
