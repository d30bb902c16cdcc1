package bus

import "time"

// Quicken shortens all waiting, so that a test need not wait for the times
// of a real outage. It must come before Consume.
func (b *Bus) Quicken() {
	b.times = times{
		ackWait: time.Second, beat: 300 * time.Millisecond,
		poll: 500 * time.Millisecond, pause: 50 * time.Millisecond,
	}
}

// Kill cuts the connection as the death of the process would.
func (b *Bus) Kill() { b.conn.Close() }

// Connected reports whether there is a connection now.
func (b *Bus) Connected() bool { return b.conn.IsConnected() }
