package blob

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Encryption is how a store is asked to encrypt what it keeps. The zero value
// leaves it to the store.
type Encryption struct {
	mode types.ServerSideEncryption
	key  *string // of KMS; nil means the account's own
}

// ParseEncryption reads "AES256" (a key of the store's own), "aws:kms" (the
// account's key in KMS), "aws:kms:" and the id or ARN of a key there, or "",
// which asks for nothing.
func ParseEncryption(s string) (Encryption, error) {
	mode := types.ServerSideEncryption(s)
	switch mode {
	case "", types.ServerSideEncryptionAes256, types.ServerSideEncryptionAwsKms, types.ServerSideEncryptionAwsKmsDsse:
		return Encryption{mode: mode}, nil
	}
	key, ok := strings.CutPrefix(s, "aws:kms:")
	if !ok || key == "" {
		return Encryption{}, fmt.Errorf("%q is not a server-side encryption; expected AES256, aws:kms, or aws:kms: and the id of a key", s)
	}
	return Encryption{mode: types.ServerSideEncryptionAwsKms, key: &key}, nil
}
