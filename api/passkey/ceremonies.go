package passkey

import (
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"hark/storage"
)

// BeginRegistration asks an authenticator for a passkey for somebody; one that has a
// passkey of theirs makes none.
func (k *Keys) BeginRegistration(holder string, person Person) (Options, error) {
	if k.trouble != NoTrouble {
		return Options{}, ErrOff
	}
	creation, session, err := k.party.BeginRegistration(person, webauthn.WithExclusions(webauthn.Credentials(person.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return Options{}, fmt.Errorf("begin registration: %w", err)
	}
	return k.options(registration, holder, creation.Response, session)
}

// FinishRegistration returns the passkey that an authenticator made, by the name of
// its kind where that is known, and the challenge that is to be used up with it.
func (k *Keys) FinishRegistration(holder, state string, person Person, response []byte) (storage.Passkey, storage.Challenge, error) {
	if k.trouble != NoTrouble {
		return storage.Passkey{}, storage.Challenge{}, ErrOff
	}
	session, err := k.open(registration, holder, state)
	if err != nil {
		return storage.Passkey{}, storage.Challenge{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return storage.Passkey{}, storage.Challenge{}, refused(err)
	}
	made, err := k.party.CreateCredential(person, session, parsed)
	if err != nil {
		return storage.Passkey{}, storage.Challenge{}, refused(err)
	}
	p := storage.Passkey{
		Name: kindOf(made.Authenticator.AAGUID), CredentialID: made.ID, PublicKey: made.PublicKey, SignCount: made.Authenticator.SignCount,
		BackupEligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState,
	}
	for _, transport := range made.Transport {
		p.Transports = append(p.Transports, string(transport))
	}
	return p, challengeOf(session), nil
}

// BeginSignIn asks for whichever passkey somebody has here. The options say nothing of anybody.
func (k *Keys) BeginSignIn(holder string) (Options, error) {
	if k.trouble != NoTrouble {
		return Options{}, ErrOff
	}
	assertion, session, err := k.party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Options{}, fmt.Errorf("begin sign-in: %w", err)
	}
	return k.options(signIn, holder, assertion.Response, session)
}

// FinishSignIn returns the passkey that signed, which find finds by its credential's id,
// and its use. ErrCloned comes with both; errors of find come as they are.
func (k *Keys) FinishSignIn(holder, state string, response []byte, find func(credentialID []byte) (storage.Passkey, error)) (storage.Passkey, storage.PasskeyUse, error) {
	if k.trouble != NoTrouble {
		return storage.Passkey{}, storage.PasskeyUse{}, ErrOff
	}
	session, err := k.open(signIn, holder, state)
	if err != nil {
		return storage.Passkey{}, storage.PasskeyUse{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return storage.Passkey{}, storage.PasskeyUse{}, refused(err)
	}
	var found storage.Passkey
	var findErr error
	_, used, err := k.party.ValidatePasskeyLogin(func(credentialID, _ []byte) (webauthn.User, error) {
		if found, findErr = find(credentialID); findErr != nil {
			return nil, findErr
		}
		return Person{UserID: found.UserID, Own: []storage.Passkey{found}}, nil
	}, session, parsed)
	if findErr != nil {
		return storage.Passkey{}, storage.PasskeyUse{}, findErr
	}
	use, err := useOf(found, session, used, err)
	return found, use, err
}

// BeginProof asks for one of the passkeys that somebody has.
func (k *Keys) BeginProof(holder string, person Person) (Options, error) {
	if k.trouble != NoTrouble {
		return Options{}, ErrOff
	}
	assertion, session, err := k.party.BeginLogin(person, webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return Options{}, fmt.Errorf("begin proof: %w", err)
	}
	return k.options(proof, holder, assertion.Response, session)
}

// FinishProof returns the use of one of the passkeys that somebody has. ErrCloned comes with both.
func (k *Keys) FinishProof(holder, state string, person Person, response []byte) (storage.Passkey, storage.PasskeyUse, error) {
	if k.trouble != NoTrouble {
		return storage.Passkey{}, storage.PasskeyUse{}, ErrOff
	}
	session, err := k.open(proof, holder, state)
	if err != nil {
		return storage.Passkey{}, storage.PasskeyUse{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return storage.Passkey{}, storage.PasskeyUse{}, refused(err)
	}
	var found storage.Passkey
	for _, one := range person.Own {
		if string(one.CredentialID) == string(parsed.RawID) {
			found = one
		}
	}
	if found.UserID != "" { // who they are in the workspace where it was made, which the authenticator keeps
		person.UserID = found.UserID
		session.UserID = person.WebAuthnID()
	}
	used, err := k.party.ValidateLogin(person, session, parsed)
	use, err := useOf(found, session, used, err)
	return found, use, err
}

func useOf(p storage.Passkey, session webauthn.SessionData, used *webauthn.Credential, err error) (storage.PasskeyUse, error) {
	if err != nil {
		return storage.PasskeyUse{}, refused(err)
	}
	use := storage.PasskeyUse{PasskeyID: p.ID, SignCount: used.Authenticator.SignCount, BackedUp: used.Flags.BackupState, Challenge: challengeOf(session)}
	if used.Authenticator.CloneWarning {
		return use, ErrCloned
	}
	return use, nil
}

func challengeOf(session webauthn.SessionData) storage.Challenge {
	return storage.Challenge{Value: session.Challenge, Expires: session.Expires}
}

// refused is ErrRefused with what the library says, of which the error text alone says little.
func refused(err error) error {
	var detailed *protocol.Error
	if errors.As(err, &detailed) && detailed.DevInfo != "" {
		return fmt.Errorf("%w: %w: %s", ErrRefused, err, detailed.DevInfo)
	}
	return fmt.Errorf("%w: %w", ErrRefused, err)
}
