package config

import (
	"hark/api/limit"
	"hark/storage"
)

// LimitsConfig says how much one person may ask for, and a workspace store.
type LimitsConfig struct {
	LimitSearches      limit.Rate `env:"HARK_LIMIT_SEARCHES" default:"600/m" placeholder:"N/UNIT" help:"Searches by one person on each node, as a number and s, m, h or d; off for no limit."`
	LimitTokens        limit.Rate `env:"HARK_LIMIT_TOKENS" default:"100/h" placeholder:"N/UNIT" help:"API tokens made by one person, on each node."`
	LimitConversations limit.Rate `env:"HARK_LIMIT_CONVERSATIONS" default:"500/h" placeholder:"N/UNIT" help:"Conversations made by one person, on each node."`
	LimitMembers       limit.Rate `env:"HARK_LIMIT_MEMBERS" default:"2000/h" placeholder:"N/UNIT" help:"People added to conversations by one person, on each node."`
	LimitRetries       limit.Rate `env:"HARK_LIMIT_RETRIES" default:"200/h" placeholder:"N/UNIT" help:"Retries of messages by one person, on each node."`
	LimitHeard         limit.Rate `env:"HARK_LIMIT_HEARD" default:"2000/h" placeholder:"N/UNIT" help:"Calls by which one person's devices say what they heard, on each node."`
	LimitRenames       limit.Rate `env:"HARK_LIMIT_RENAMES" default:"60/h" placeholder:"N/UNIT" help:"Changes of one's own name and the workspace's by one person, on each node."`
	LimitSignIns       limit.Rate `env:"HARK_LIMIT_SIGN_INS" default:"20/h" placeholder:"N/UNIT" help:"Passwords tried for one account, on each node."`
	LimitSignInsFrom   limit.Rate `env:"HARK_LIMIT_SIGN_INS_FROM" default:"200/h" placeholder:"N/UNIT" help:"Sign-ins tried from one IPv4 address or IPv6 /64, on each node."`
	LimitSignInEmails  limit.Rate `env:"HARK_LIMIT_SIGN_IN_EMAILS" default:"5/h" placeholder:"N/UNIT" help:"Sign-in links mailed to one address, on each node."`
	LimitInvitations   limit.Rate `env:"HARK_LIMIT_INVITATIONS" default:"100/h" placeholder:"N/UNIT" help:"Invitations made by one person, on each node."`
	LimitJoins         limit.Rate `env:"HARK_LIMIT_JOINS" default:"600/h" placeholder:"N/UNIT" help:"Tries to join by an invitation from one IP address, on each node."`
	LimitProvisioning  limit.Rate `env:"HARK_LIMIT_PROVISIONING" default:"3000/m" placeholder:"N/UNIT" help:"SCIM requests with one token, on each node."`
	LimitPictures      limit.Rate `env:"HARK_LIMIT_PICTURES" default:"60/d" placeholder:"N/UNIT" help:"Pictures and pronunciations of names set by one person, on each node."`
	LimitEmailChanges  limit.Rate `env:"HARK_LIMIT_EMAIL_CHANGES" default:"5/h" placeholder:"N/UNIT" help:"Mails that ask to confirm an address: by one person, and to one address, on each node."`
	LimitBytes         int64      `name:"limit-bytes-per-day" env:"HARK_LIMIT_BYTES_PER_DAY" default:"107374182400" help:"Bytes of recordings that one person may send a day (UTC), on all nodes; 0 for no limit."`
	LimitWaiting       int        `env:"HARK_LIMIT_WAITING" default:"10000" help:"Recordings of one person that may wait to be transcribed, on all nodes; 0 for no limit."`
	QuotaBytes         int64      `env:"HARK_QUOTA_BYTES" default:"0" help:"Bytes of recordings and renditions that a workspace may store; 0 for no limit."`
	LimitStreams       int        `env:"HARK_LIMIT_STREAMS" default:"100" help:"Event streams that one person may have open at once, on each node; 0 for no limit."`
}

// Limits is what one person may ask for in a time.
func (c LimitsConfig) Limits() limit.Config {
	return limit.Config{
		Searches: c.LimitSearches, Tokens: c.LimitTokens, Conversations: c.LimitConversations,
		Members: c.LimitMembers, Retries: c.LimitRetries, Renames: c.LimitRenames, Heard: c.LimitHeard, Streams: c.LimitStreams,
		SignIns: c.LimitSignIns, SignInsFrom: c.LimitSignInsFrom, SignInEmails: c.LimitSignInEmails,
		Invitations: c.LimitInvitations, Joins: c.LimitJoins, Pictures: c.LimitPictures, EmailChanges: c.LimitEmailChanges, Provisioning: c.LimitProvisioning,
	}
}

// Quotas is how much may be sent and stored.
func (c LimitsConfig) Quotas() storage.Quotas {
	return storage.Quotas{BytesPerDay: c.LimitBytes, Waiting: c.LimitWaiting, Stored: c.QuotaBytes}
}

func (c LimitsConfig) checkLimits(bad func(key, format string, args ...any)) {
	for key, n := range map[string]int64{
		"HARK_LIMIT_STREAMS": int64(c.LimitStreams), "HARK_LIMIT_WAITING": int64(c.LimitWaiting),
		"HARK_LIMIT_BYTES_PER_DAY": c.LimitBytes, "HARK_QUOTA_BYTES": c.QuotaBytes,
	} {
		if n < 0 {
			bad(key, "%d is too few; expected 0 or more", n)
		}
	}
}
