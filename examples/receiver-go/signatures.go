package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const tolerance = 5 * time.Minute

// Keys are what requests may be signed with: secrets that the relay has too (v1), and public halves of its keys (v1a).
// While one takes the place of another there are two.
type Keys struct {
	secrets [][]byte
	public  []ed25519.PublicKey
}

// ReadKeys reads a file with one of them a line.
func ReadKeys(path string) (*Keys, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys := &Keys{}
	for number, line := range strings.Fields(string(text)) {
		prefix, rest, _ := strings.Cut(line, "_")
		key, err := base64.StdEncoding.DecodeString(rest)
		switch {
		case err == nil && prefix == "whsec" && len(key) >= 24:
			keys.secrets = append(keys.secrets, key)
		case err == nil && prefix == "whpk" && len(key) == ed25519.PublicKeySize:
			keys.public = append(keys.public, key)
		default:
			return nil, fmt.Errorf("%s: number %d is no whsec_ secret and no whpk_ key", path, number+1)
		}
	}
	if len(keys.secrets)+len(keys.public) == 0 {
		return nil, fmt.Errorf("%s holds no secret", path)
	}
	return keys, nil
}

// Verify tells whether somebody signed this who has one of the keys, within the last minutes.
func (keys *Keys) Verify(id, timestamp, signatures string, body []byte, now time.Time) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	content := bytes.Join([][]byte{[]byte(id), []byte(timestamp), body}, []byte("."))
	for _, one := range strings.Fields(signatures) {
		version, encoded, _ := strings.Cut(one, ",")
		given, err := base64.StdEncoding.DecodeString(encoded)
		if err == nil && keys.signed(version, given, content) {
			return true
		}
	}
	return false
}

func (keys *Keys) signed(version string, given, content []byte) bool {
	switch version {
	case "v1":
		for _, secret := range keys.secrets {
			sum := hmac.New(sha256.New, secret)
			sum.Write(content)
			if hmac.Equal(given, sum.Sum(nil)) {
				return true
			}
		}
	case "v1a":
		for _, key := range keys.public {
			if ed25519.Verify(key, content, given) {
				return true
			}
		}
	}
	return false
}
