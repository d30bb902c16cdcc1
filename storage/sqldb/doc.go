// Package sqldb keeps Hark's records in SQLite or Postgres and searches what
// was said.
//
// A method is one question or one change, and runs as one transaction. What a
// person asks comes with a [storage.Actor] and is scoped by it in the query
// itself: a conversation that the actor is not in, or another workspace's, is
// [storage.ErrNotFound], exactly as one that does not exist. What workers do is
// scoped by the job and guarded by the attempt that they hold.
//
// # One order a workspace
//
// Every change of a workspace first locks the workspace's row and appends its
// events last, numbered from a counter in that row. So events are numbered in
// the order of commit and a listener can resume after any of them; and two
// changes of one workspace cannot deadlock. The price is that writes of one
// workspace go one after the other: a few hundred a second on a disk that syncs.
//
// # Two databases
//
// SQL is written once, with ? placeholders, on the common ground of SQLite and
// Postgres. What differs stands behind dialect: opening, locking, the search
// index, and what errors mean. SQLite has one writer connection and a pool of
// readers; a commit is on the disk (WAL, synchronous=FULL) before it is
// answered. What is deleted there is overwritten (secure_delete), and
// [DB.EraseDeleted] takes it out of the search index and the log.
//
// Where a pooler stands before Postgres, which Open finds out, nothing is asked
// of a connection that the pooler would not keep: no start-up parameters, no
// statements prepared for later, and never a lock of a session. Changes need transactions, so pgbouncer serves in its modes transaction and
// session, and is refused at the start in mode statement. Only what Postgres 13
// has is used.
//
// # One clock
//
// What nodes compare (leases, due times, the ends of credentials) is timed by
// the database's clock, so that a node whose own is wrong takes nothing from
// others. A change reads it once it holds the workspace, and has it as tx.now.
//
// # When the database is away
//
// A server that is not there, restarts, has no connection to spare, gives up a
// statement or takes no changes, and a file that cannot be written, is
// [storage.ErrUnreachable]. What surely changed nothing is tried again for a
// third of a second: all reads, and changes up to their COMMIT. A COMMIT whose
// answer was lost is not: it may have been done, and who asked finds out by
// asking again under the same idempotency key. [DB.Ping] makes a small change
// now and then, so that readiness tells of a disk that is full as of a standby.
//
// # Recordings
//
// A message that is being spoken has a row in recordings, which says which node
// keeps its sound, and no job. Begin, finish and drop are changes of the
// workspace; renewing the lease of all that a node has is one statement, without
// the workspaces' locks. Whoever finishes or drops takes the row away first,
// under the node's name, so that between several nodes one does it: the node's
// name guards a recording as the attempt guards a job. A recording whose
// transcript was made meanwhile becomes ready with it in one transaction. The
// job of a ready message only adds to it and never moves it, however it ends.
//
// # Search
//
// Package query folds what was said to tokens, in Go, so that both databases
// and the highlighting agree on what a word is. Hits are found newest first;
// the newest 2,000 are ranked (BM25 over what search_docs keeps of each
// message), and only the page asked for is loaded, highlighted and timed from
// its transcript. The lexicon counts in how many messages of a conversation a
// word is said; it weighs words, plans Postgres queries, and knows the words
// that a misspelt one may have meant. It is only ever read for conversations
// that the actor is in.
//
// Limits: titles are not searched, since a hit is a moment at which something
// was said. A member of more than 16 conversations who finds little in a
// workspace where the words are common makes the search pass over what others
// said; it is bounded by the query timeout.
package sqldb
