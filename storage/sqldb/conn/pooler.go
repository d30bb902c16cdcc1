package conn

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// directMark is a parameter that goes with the start-up and that no server
// knows: where it is not found afterwards, a pooler answered.
const directMark = "hark.direct"

// direct is how to connect to a server itself: statements stay prepared.
func direct(conf *pgx.ConnConfig) *pgx.ConnConfig {
	conf = conf.Copy()
	defaults := map[string]string{
		directMark:        "on",
		"jit":             "off",               // compiling takes longer than any query here
		"plan_cache_mode": "force_custom_plan", // a plan for any word suits neither rare nor common ones
	}
	for k, v := range defaults {
		if _, set := conf.RuntimeParams[k]; !set {
			conf.RuntimeParams[k] = v
		}
	}
	return conf
}

// throughPooler is how to connect where a session may change servers: nothing
// goes with the start-up but the application's name, and no prepared statement
// outlives a round trip. cache_describe remembers what the parameters and columns
// of a statement are, but not the statement. Hark's usual statements take up to
// twice as long so.
func throughPooler(conf *pgx.ConnConfig, url string) *pgx.ConnConfig {
	conf = conf.Copy()
	if conf.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement && !strings.Contains(url, "default_query_exec_mode=") {
		conf.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return conf
}

// findPooler says whether a pooler stands before the server: one that refuses
// what goes with the start-up, or leaves it out. It asks without a prepared
// statement, which another client of the pooler's may have prepared.
func findPooler(ctx context.Context, conf *pgx.ConnConfig) (pooled bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	conf = direct(conf)
	conf.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil && strings.Contains(err.Error(), parameterRefused) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var marked bool
	err = conn.QueryRow(ctx, `SELECT COALESCE(current_setting('`+directMark+`', true), '') <> ''`).Scan(&marked)
	return !marked, errors.Join(err, conn.Close(ctx))
}

// tunePostgres switches compiling off where that did not go with the start-up,
// which the URL may do as well. A pooler may drop the setting, or hand it to another connection of Hark's; both are
// harmless.
func tunePostgres(ctx context.Context, conn *pgx.Conn) error {
	if _, set := conn.Config().RuntimeParams["jit"]; set {
		return nil
	}
	_, err := conn.Exec(ctx, `SET jit = off`)
	return err
}

// parameterRefused is what pgbouncer says of what it does not know.
const parameterRefused = "unsupported startup parameter"

// explain adds to a refusal by a pooler what to set so that it works.
func explain(err error) error {
	said := err.Error()
	switch {
	case strings.Contains(said, "statement pooling mode"):
		return fmt.Errorf("the pooler does not allow transactions, which Hark needs: "+
			"set pool_mode = transaction, or session, for this database in pgbouncer.ini: %s", said)
	case strings.Contains(said, parameterRefused):
		return fmt.Errorf("the pooler does not take a parameter that HARK_DATABASE_URL sets: "+
			"take it out there, or name it in ignore_startup_parameters in pgbouncer.ini: %s", said)
	}
	return err
}
