package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"hark/api/health"
	"hark/api/live"
	"hark/api/openid"
	"hark/api/pages"
	"hark/api/rest"
)

// calls are all calls, in the groups of their description.
func (n *nouns) calls() []rest.Group {
	return []rest.Group{
		{Name: "You", Description: "Who you are, how you sign in, who else is here, and your tokens.", Routes: []rest.Route{
			get("/v1/me", n.people.GetMe()),
			patch("/v1/me", n.people.UpdateMe()),
			put("/v1/me/picture", n.profile.SetPicture()),
			remove("/v1/me/picture", n.profile.RemoveMyPicture()),
			put("/v1/me/pronunciation", n.profile.SetPronunciation()),
			remove("/v1/me/pronunciation", n.profile.RemoveMyPronunciation()),
			get("/v1/users", n.people.ListUsers()),
			get("/v1/users/{id}/picture", n.profile.GetPicture()),
			put("/v1/users/{id}/picture", n.profile.SetTheirPicture()),
			remove("/v1/users/{id}/picture", n.profile.RemovePicture()),
			get("/v1/users/{id}/pronunciation", n.profile.GetPronunciation()),
			remove("/v1/users/{id}/pronunciation", n.profile.RemovePronunciation()),
			get("/v1/workspace", n.people.GetWorkspace()),
			patch("/v1/workspace", n.people.UpdateWorkspace()),
			get("/v1/workspace/rules", n.people.GetRules()),
			patch("/v1/workspace/rules", n.people.UpdateRules()),
			get("/v1/account", n.account.Get()),
			patch("/v1/account", n.account.Change()),
			remove("/v1/account/email-change", n.account.CancelEmail()),
			get("/v1/account/workspaces", n.signin.ListWorkspaces()),
			post("/v1/account/workspaces", n.signin.CreateWorkspace()),
			post("/v1/account/workspaces/{id}/switch", n.signin.SwitchWorkspace()),
			post("/v1/account/identities", n.signin.LinkIdentity()),
			remove("/v1/account/identities/{id}", n.signin.UnlinkIdentity()),
			post("/v1/step-up", n.account.StepUp()),
			post("/v1/step-up/options", n.account.StepUpOptions()),
			get("/v1/passkeys", n.account.ListPasskeys()),
			post("/v1/passkeys", n.account.AddPasskey()),
			post("/v1/passkeys/options", n.account.PasskeyOptions()),
			patch("/v1/passkeys/{id}", n.account.RenamePasskey()),
			remove("/v1/passkeys/{id}", n.account.RemovePasskey()),
			post("/v1/recovery-codes", n.account.NewRecoveryCodes()),
			post("/v1/step-up/provider", n.signin.ProveByProvider()),
			get("/v1/tokens", n.signin.ListTokens()),
			post("/v1/tokens", n.signin.CreateToken()),
			remove("/v1/tokens", n.signin.RevokeOthers()),
			remove("/v1/tokens/{id}", n.signin.RevokeToken()),
			post("/v1/sign-out", n.signin.SignOut()),
		}},
		{Name: "Members", Description: "Who is in the workspace, whom it invites, which programs take part in it, and what it takes. For owners and admins, and those whom the workspace's rules let invite.", Routes: []rest.Route{
			get("/v1/members", n.members.List()),
			patch("/v1/members/{id}", n.members.Update()),
			post("/v1/members/{id}/sign-in-link", n.members.CreateLink()),
			get("/v1/invitations", n.invitations.List()),
			post("/v1/invitations", n.invitations.Create()),
			remove("/v1/invitations/{id}", n.invitations.Revoke()),
			get("/v1/provisioning", n.scim.GetProvisioning()),
			get("/v1/provisioning/groups", n.scim.ListGroups()),
			patch("/v1/provisioning/groups/{id}", n.scim.SetGroupRole()),
			get("/v1/integrations", n.integrations.List()),
			post("/v1/integrations", n.integrations.Create()),
			get("/v1/integrations/{id}", n.integrations.Get()),
			patch("/v1/integrations/{id}", n.integrations.Update()),
			remove("/v1/integrations/{id}", n.integrations.Delete()),
			get("/v1/integrations/{id}/tokens", n.integrations.ListTokens()),
			post("/v1/integrations/{id}/tokens", n.integrations.CreateToken()),
			remove("/v1/integrations/{id}/tokens/{token_id}", n.integrations.RevokeToken()),
			get("/v1/usage", n.usage.Get()),
			patch("/v1/usage", n.usage.Update()),
			get("/v1/usage/members", n.usage.ListMembers()),
		}},
		{Name: "Conversations", Description: "Conversations and who is in them.", Routes: []rest.Route{
			get("/v1/conversations", n.conversations.List()),
			post("/v1/conversations", n.conversations.Create()),
			get("/v1/conversations/{id}", n.conversations.Get()),
			patch("/v1/conversations/{id}", n.conversations.Update()),
			remove("/v1/conversations/{id}", n.conversations.Delete()),
			get("/v1/conversations/{id}/members", n.conversations.ListMembers()),
			post("/v1/conversations/{id}/members", n.conversations.AddMember()),
			remove("/v1/conversations/{id}/members/{user_id}", n.conversations.RemoveMember()),
			get("/v1/conversations/{id}/recordings", n.live.ListOngoing()),
		}},
		{Name: "Messages", Description: "Voice messages, from a recording to its place in a conversation.", Routes: []rest.Route{
			get("/v1/conversations/{id}/messages", n.messages.List()),
			post("/v1/conversations/{id}/messages", n.messages.Upload()),
			get("/v1/messages/{id}", n.messages.Get()),
			patch("/v1/messages/{id}", n.messages.Update()),
			remove("/v1/messages/{id}", n.messages.Delete()),
			post("/v1/messages/{id}/retry", n.messages.Retry()),
			post("/v1/messages/{id}/send", n.messages.Send()),
			post("/v1/messages/{id}/unsend", n.messages.Unsend()),
			put("/v1/messages/{id}/heard", n.heard.Put()),
			remove("/v1/messages/{id}/heard", n.heard.Forget()),
			post("/v1/heard", n.heard.Add()),
			post("/v1/conversations/{id}/heard", n.heard.MarkConversation()),
			get("/v1/drafts", n.messages.ListDrafts()),
			remove("/v1/drafts/{id}", n.messages.DiscardDraft()),
		}},
		{Name: "Live recording", Description: "Speak a message into a conversation over WebRTC, with captions while you speak.", Routes: []rest.Route{
			post("/v1/conversations/{id}/whip", n.live.Begin()),
			patch("/v1/whip/{session}", n.live.Change()),
			remove("/v1/whip/{session}", n.live.End()),
		}},
		{Name: "Sound and text", Description: "What a message sounds like and what it says.", Routes: []rest.Route{
			get("/v1/messages/{id}/audio", n.sound.GetAudio()),
			get("/v1/messages/{id}/audio-url", n.sound.GetAudioURL()),
			get("/v1/messages/{id}/waveform", n.sound.GetWaveform()),
			get("/v1/messages/{id}/transcript", n.transcripts.Get()),
			get("/v1/messages/{id}/transcript.json", n.transcripts.GetAs(".json")),
			get("/v1/messages/{id}/transcript.vtt", n.transcripts.GetAs(".vtt")),
			get("/v1/messages/{id}/transcript.srt", n.transcripts.GetAs(".srt")),
			get("/v1/messages/{id}/transcript.txt", n.transcripts.GetAs(".txt")),
		}},
		{Name: "Search", Description: "Find what was said, and the moment at which it was.", Routes: []rest.Route{
			get("/v1/search", n.search.Search()),
		}},
		{Name: "Events", Description: "What happens, as it happens.", Routes: []rest.Route{
			get("/v1/events", n.events.Stream()),
		}},
		{Name: "Audit", Description: "Who did what: sign-ins, tokens, people, memberships, settings, deletions and, where the workspace wants it, listening, in a log that is only added to and whose hashes show changes. For owners and admins.", Routes: []rest.Route{
			get("/v1/audit", n.audit.List()),
			get("/v1/audit/export", n.audit.Export()),
			get("/v1/audit/settings", n.audit.GetSettings()),
			patch("/v1/audit/settings", n.audit.UpdateSettings()),
		}},
	}
}

// addPages adds what is no call of the API: it asks for no credential but SCIM, which
// describes itself.
func (n *nouns) addPages(api *rest.API, docs *pages.Docs, operators health.Endpoints) {
	for _, path := range []string{"/", "/c/:id", "/m/:id", "/search", "/settings", "/settings/members", "/settings/invitations", "/settings/integrations", "/settings/rules", "/settings/audit", "/settings/usage", "/settings/provisioning"} {
		api.Page(path, n.app.Page)
	}
	for path, file := range n.app.Files() {
		api.Page(path, file)
	}
	n.scim.Register(api)
	api.Page("/sign-in", n.signin.Ask)
	api.Page("/sign-in.js", n.signin.Script)
	api.Echo().POST("/sign-in", n.signin.SignIn)
	api.Echo().POST("/sign-in/passkey", n.signin.PasskeyOptions)
	api.Page(openid.CallbackPath+":provider", n.signin.Callback)
	api.Page("/join", n.invitations.Page)
	api.Echo().POST("/join", n.invitations.Join)
	api.Page("/confirm-email", n.account.ConfirmPage)
	api.Echo().POST("/confirm-email", n.account.Confirm)
	api.Page("/page.css", pages.Style)
	api.Page("/docs", docs.Page)
	api.Page("/openapi.json", docs.Spec)
	api.Echo().OPTIONS("/v1/conversations/:id/whip", live.BeginOptions)
	api.Echo().OPTIONS("/v1/whip/:session", live.SessionOptions)
	for _, path := range health.Paths {
		api.Page(path, echo.WrapHandler(operators.Handler()))
	}
}

func get(path string, e rest.Endpoint) rest.Route {
	return rest.Route{Method: http.MethodGet, Path: path, Endpoint: e}
}

func post(path string, e rest.Endpoint) rest.Route {
	return rest.Route{Method: http.MethodPost, Path: path, Endpoint: e}
}

func put(path string, e rest.Endpoint) rest.Route {
	return rest.Route{Method: http.MethodPut, Path: path, Endpoint: e}
}

func patch(path string, e rest.Endpoint) rest.Route {
	return rest.Route{Method: http.MethodPatch, Path: path, Endpoint: e}
}

func remove(path string, e rest.Endpoint) rest.Route {
	return rest.Route{Method: http.MethodDelete, Path: path, Endpoint: e}
}
