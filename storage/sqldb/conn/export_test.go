package conn

// DropIdle closes the connections that nobody uses now.
func (db *DB) DropIdle() { db.dropIdle() }
