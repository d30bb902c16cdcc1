package api

import (
	"hark/api/account"
	"hark/api/audit"
	"hark/api/conversations"
	"hark/api/events"
	"hark/api/heard"
	"hark/api/intake"
	"hark/api/integrations"
	"hark/api/invitations"
	"hark/api/live"
	"hark/api/members"
	"hark/api/messages"
	"hark/api/openid"
	"hark/api/pages"
	"hark/api/passkey"
	"hark/api/password"
	"hark/api/people"
	"hark/api/profile"
	"hark/api/rest"
	"hark/api/scim"
	"hark/api/search"
	"hark/api/security"
	"hark/api/signin"
	"hark/api/sound"
	"hark/api/transcripts"
	"hark/api/usage"
)

// nouns are the endpoints of all nouns, and what people open in a browser.
type nouns struct {
	account       *account.Endpoints
	audit         *audit.Endpoints
	conversations *conversations.Endpoints
	events        *events.Endpoints
	integrations  *integrations.Endpoints
	heard         *heard.Endpoints
	invitations   *invitations.Endpoints
	live          *live.Endpoints
	members       *members.Endpoints
	messages      *messages.Endpoints
	people        *people.Endpoints
	scim          *scim.Endpoints
	profile       *profile.Endpoints
	search        *search.Endpoints
	signin        *signin.Endpoints
	sound         *sound.Endpoints
	transcripts   *transcripts.Endpoints
	usage         *usage.Endpoints

	app *pages.App
	hub *events.Hub // whose streams end before the server does
}

// newNouns makes the nouns, each with its part of the records.
func newNouns(deps Deps, cfg Config, public rest.PublicURL, securityLog *security.Log, limits *rest.Limits) (*nouns, error) {
	recheck := recheckLive(deps.Live)
	hub := events.New(events.Deps{Records: deps.Records.Events, Bus: deps.Bus}, events.Config{
		Key: cfg.SigningKey, Heartbeat: cfg.Heartbeat, Kept: cfg.EventsKept,
	})
	streams, err := events.NewEndpoints(hub, limits, deps.Registry)
	if err != nil {
		return nil, err
	}
	in, err := intake.New(intake.Deps{Records: deps.Records.Intake, Objects: deps.Objects, Registry: deps.Registry, Logger: deps.Logger}, cfg.Intake)
	if err != nil {
		return nil, err
	}
	ways, err := newWays(deps, cfg, public, securityLog, limits)
	if err != nil {
		return nil, err
	}
	signIn := ways.signIn
	return &nouns{
		account: account.New(account.Deps{
			Records: deps.Records.Account, Passkeys: deps.Records.Passkeys, Keys: ways.keys, SignIns: signIn, Passwords: ways.passwords, Mail: cfg.Mail,
			Emails: deps.Records.Emails, Browsers: signIn, Limits: limits, Security: securityLog, PublicURL: public,
		}),
		audit: audit.New(deps.Records.Audit),
		conversations: conversations.New(conversations.Deps{
			Records: deps.Records.Conversations, Members: deps.Records.Members, Limits: limits, PublicURL: public, RecheckLive: recheck,
		}),
		events:       streams,
		heard:        heard.New(deps.Records.Heard, deps.Bus, deps.Logger),
		integrations: integrations.New(integrations.Deps{Records: deps.Records.Integrations, Security: securityLog, Revoked: signIn.Revoked}),
		invitations: invitations.New(invitations.Deps{
			Records: deps.Records.Invitations, Persons: deps.Records.Persons, Browsers: signIn, Limits: limits, Security: securityLog, PublicURL: public, Mail: cfg.Mail,
		}),
		live:    live.New(live.Deps{Records: deps.Records.Live, Recorder: deps.Live, Intake: in, PublicURL: public}),
		members: members.New(members.Deps{Records: deps.Records.Roster, PublicURL: public, Revoked: signIn.Revoked}),
		messages: messages.New(messages.Deps{
			Records: deps.Records.Messages, Drafts: deps.Records.Drafts, Bus: deps.Bus, Intake: in, Logger: deps.Logger, PublicURL: public, RecheckLive: recheck,
		}),
		people:      people.New(people.Deps{Records: deps.Records.People, Revoked: signIn.Revoked, CreateWorkspaces: cfg.CreateWorkspaces}),
		profile:     profile.New(profile.Deps{Records: deps.Records.Profiles, Objects: deps.Objects, Sounds: deps.Sounds, Body: in.Body}),
		scim:        scim.New(scim.Deps{Records: deps.Records.Provisioning, Setup: deps.Records.Providers, Authenticator: signIn, Limits: limits, PublicURL: public, Revoked: signIn.Revoked}),
		search:      search.New(deps.Records.Search, public),
		signin:      signIn,
		sound:       sound.New(sound.Deps{Records: deps.Records.Sound, Objects: deps.Objects, Security: securityLog, PublicURL: public, Key: cfg.SigningKey, Life: cfg.SignedURLTTL}),
		transcripts: transcripts.New(deps.Records.Transcripts),
		usage:       usage.New(deps.Records.Usage, cfg.Intake.Quotas),
		app:         pages.NewApp(public),
		hub:         hub,
	}, nil
}

// ways are the ways in, and what account changes of them.
type ways struct {
	signIn    *signin.Endpoints
	keys      *passkey.Keys
	passwords *password.Hasher
}

func newWays(deps Deps, cfg Config, public rest.PublicURL, securityLog *security.Log, limits *rest.Limits) (w ways, err error) {
	w.passwords = password.NewHasher()
	if w.keys, err = passkey.New(public, cfg.SigningKey); err != nil {
		return w, err
	}
	providers, err := openid.New(cfg.OpenID, public.Address())
	if err != nil {
		return w, err
	}
	w.signIn, err = signin.New(signin.Deps{
		Records: deps.Records.SignIn, Passkeys: deps.Records.SignInPasskeys, Workspaces: deps.Records.Workspaces, CreateWorkspaces: cfg.CreateWorkspaces, Keys: w.keys,
		Identities: deps.Records.Identities, Providers: providers, Key: cfg.SigningKey, Bus: deps.Bus, Security: securityLog, Logger: deps.Logger, Limits: limits,
		Passwords: w.passwords, PublicURL: public, Mail: cfg.Mail, SessionTTL: cfg.SessionTTL, RecheckLive: recheckLive(deps.Live),
	})
	return w, err
}

// recheckLive has live recordings end that may not go on: their message is
// gone, or their speaker was removed or signed out. On other nodes they do so
// when their lease is renewed next.
func recheckLive(recorder Live) func() {
	return func() {
		if recorder != nil {
			recorder.Nudge()
		}
	}
}
