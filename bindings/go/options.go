package meshwork

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Options are keys of the library's tables (ContextOptions, ProviderOptions,
// ConsumerOptions, ChannelOptions, ...) and their values: text as `meshwork
// options` lists it ("30s", "1MiB"), or a bool, a number, a time.Duration, a
// []string, or whatever encodes to a JSON object. Keys may be nested:
// Options{"tls": Options{"verify": "none"}}. A wrong key or value is refused
// with EOPTION and an advice.
type Options map[string]any

// Option describes one key.
type Option struct {
	Key, Type, Default, Allowed, Doc string
	Live, Secret                     bool // Live: Update may change it; Secret: it reads back as "***"
}

func (o Options) json() ([]byte, error) {
	if len(o) == 0 {
		return nil, nil
	}
	b, err := json.Marshal(o.plain())
	if err != nil {
		return nil, &Error{Status: EOPTION, Text: fmt.Sprintf("An option has no JSON form: %v.", err)}
	}
	return b, nil
}

// plain writes what Go encodes otherwise than the library reads it.
func (o Options) plain() map[string]any {
	m := make(map[string]any, len(o))
	for key, value := range o {
		switch v := value.(type) {
		case time.Duration:
			value = fmt.Sprintf("%dms", v.Milliseconds())
		case []string:
			value = strings.Join(v, ",")
		case []byte:
			value = string(v)
		case Options:
			value = v.plain()
		}
		m[key] = value
	}
	return m
}

// Kind of options: CheckOptions says which table it means.
type OptionKind int32

// The tables.
const (
	ForContext      OptionKind = confContext
	ForProvider     OptionKind = confProvider
	ForConsumer     OptionKind = confConsumer
	ForSubscription OptionKind = confSubscription
	ForHub          OptionKind = confHub
	ForChannel      OptionKind = confChannel
	ForShare        OptionKind = confShare
	ForElection     OptionKind = confElection
	ForNode         OptionKind = confNode
	ForManager      OptionKind = confManager
)

// CheckOptions tells whether the library takes these options, and what it
// makes of the one called key ("" asks for none).
func CheckOptions(kind OptionKind, opts Options, key string) (string, error) {
	b, err := opts.json()
	if err != nil {
		return "", err
	}
	if key == "" {
		key = "log.level"
		if kind == ForSubscription {
			key = "pattern.syntax"
		}
	}
	return confGet(int32(kind), b, key)
}

// Describe asks the loaded library for its table, which may be newer than
// this package's.
func Describe(kind OptionKind) ([]json.RawMessage, error) {
	var rows []json.RawMessage
	for {
		row, err := describe(int32(kind), len(rows))
		if err == EEND {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
}
