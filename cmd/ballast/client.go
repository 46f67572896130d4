package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ballast/ledger"
	"ballast/server"
)

// errNoServer reports that no `ballast run` answers for this data folder.
var errNoServer = errors.New("no running Ballast found for this data folder")

// door is how the commands of this machine reach the running server: a file in
// the data folder that only its owner can read.
type door struct {
	URL    string `json:"url"`
	People string `json:"people"` // how people reach the dashboard
	Key    string `json:"key"`
	PID    int    `json:"pid"`
}

func doorPath(data string) string { return filepath.Join(data, "local.json") }

// openDoor makes a fresh key for this run and writes the door file. The key of
// the run before stops working.
func openDoor(ctx context.Context, record ledger.Store, data, url, people string) error {
	const name = server.ConsoleAccount
	by := ledger.By(name)
	u, err := record.UserByName(ctx, name)
	if errors.Is(err, ledger.ErrNotFound) {
		u, err = record.AddUser(ctx, ledger.User{Name: name, FullName: "commands on Ballast's own machine", Grants: []ledger.Grant{{Role: ledger.Admin}}}, by)
	}
	if err != nil {
		return fmt.Errorf("making the console's account: %w", err)
	}
	keys, err := record.APIKeys(ctx, u.ID)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Revoked.IsZero() && k.Name == name { // others of this account are `ballast key add`'s, and stay
			if err := record.RevokeAPIKey(ctx, k.ID, by); err != nil {
				return fmt.Errorf("ending the console's last key: %w", err)
			}
		}
	}
	key, prefix, sum := ledger.NewAPIKey()
	if _, err := record.AddAPIKey(ctx, ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: name, Scopes: server.AllScopes()}, by); err != nil {
		return fmt.Errorf("making the console's key: %w", err)
	}
	b, err := json.Marshal(door{URL: url, People: people, Key: key, PID: os.Getpid()})
	if err != nil {
		return err
	}
	tmp := doorPath(data) + ".new"
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return fmt.Errorf("writing the door file: %w", err)
	}
	return os.Rename(tmp, doorPath(data))
}

// client talks to the running server.
type client struct {
	door door
	http *http.Client
}

func connect(data string) (*client, error) {
	b, err := os.ReadFile(doorPath(data))
	if err != nil {
		return nil, fmt.Errorf("%w (%s)", errNoServer, data)
	}
	c := &client{http: &http.Client{}}
	if err := json.Unmarshal(b, &c.door); err != nil {
		return nil, fmt.Errorf("reading %s: %w", doorPath(data), err)
	}
	return c, nil
}

func (c *client) request(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.door.URL+path, in)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.door.Key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) && ctx.Err() == nil {
			return nil, fmt.Errorf("%w: %s does not answer", errNoServer, c.door.URL)
		}
		return nil, err
	}
	if res.StatusCode >= 400 {
		defer res.Body.Close()
		var p struct {
			Detail string `json:"detail"`
			Errors []struct {
				Message  string `json:"message"`
				Location string `json:"location"`
			} `json:"errors"`
		}
		_ = json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&p)
		text := p.Detail
		for _, e := range p.Errors {
			text += "; " + strings.TrimSpace(e.Location+" "+e.Message)
		}
		if text == "" {
			text = res.Status
		}
		return nil, errors.New(text)
	}
	return res, nil
}

// call sends body (nil for none) and reads the answer into out (nil for none).
func (c *client) call(ctx context.Context, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	res, err := c.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// stream reads the live stream and calls each event until ctx ends or the
// server goes away.
func (c *client) stream(ctx context.Context, each func(event string, data []byte)) error {
	res, err := c.request(ctx, http.MethodGet, "/api/v1/live", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	in := bufio.NewReaderSize(res.Body, 1<<16)
	name := ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(line, "event: "):
			name = strings.TrimSpace(line[len("event: "):])
		case strings.HasPrefix(line, "data: "):
			each(name, []byte(strings.TrimSpace(line[len("data: "):])))
		}
	}
}
