package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// Audit says who did what to what. Actor must be given; a method that is given
// one fills in Action and Subject when they are empty.
type Audit struct {
	Actor   string // "alice", "key:blst_3f...", "system"
	Action  string // "machine.edit"
	Subject string // "machine/17"
	Detail  string // JSON or words; never a secret
}

// By is the Audit of an actor, for methods that know the rest.
func By(actor string) Audit { return Audit{Actor: actor} }

// Or fills in action, subject and detail where they are empty.
func (a Audit) Or(action, subject, detail string) Audit {
	if a.Action == "" {
		a.Action = action
	}
	if a.Subject == "" {
		a.Subject = subject
	}
	if a.Detail == "" {
		a.Detail = detail
	}
	return a
}

// AuditRow is one link of the audit chain. Its hash covers the hash before it
// and everything in the row.
type AuditRow struct {
	Seq     int64     `json:"seq"` // from 1, without a hole
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Subject string    `json:"subject"`
	Detail  string    `json:"detail,omitempty"`
	Prev    string    `json:"prev"` // hash of the row before, hex
	Hash    string    `json:"hash"` // of this row, hex
}

// AuditHead is the end of the chain at some time. Kept outside the ledger (on
// paper, with an auditor, in another system) it is an anchor: a later check
// against it shows even a rewrite of the whole chain.
type AuditHead struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

var auditStart = AuditHead{Hash: hex.EncodeToString(make([]byte, sha256.Size))}

// AuditStart is the head of an empty log.
func AuditStart() AuditHead { return auditStart }

// AuditFilter picks audit rows. Zero fields do not restrict.
type AuditFilter struct {
	Actor   string
	Action  string // or its start, when it ends in "."
	Subject string
	Since   time.Time // at or after
	Until   time.Time // before
	Before  int64     // the Seq that the page before ended with
	Limit   int       // 0 is all
}

// AuditLog is the append-only log of what people and the system did.
type AuditLog interface {
	// Audit appends a row.
	Audit(ctx context.Context, a Audit) error
	// AuditRows are those that f picks, newest first.
	AuditRows(ctx context.Context, f AuditFilter) ([]AuditRow, error)
	// WalkAudit gives each all rows from the first, and returns the head that the
	// log claims to have; both are of one instant. An error of each ends it.
	WalkAudit(ctx context.Context, each func(AuditRow) error) (claimed AuditHead, err error)
	// AuditHead is the head that the log claims to have, unchecked.
	AuditHead(ctx context.Context) (AuditHead, error)
	// VerifyAudit checks the whole chain, and that it passes through anchors,
	// and returns its head. ErrTampered says which row is wrong: altered,
	// missing or inserted.
	VerifyAudit(ctx context.Context, anchors ...AuditHead) (AuditHead, error)
}

// Chain is the row that follows head.
func (a Audit) Chain(head AuditHead, at time.Time) AuditRow {
	r := AuditRow{
		Seq: head.Seq + 1, At: Moment(at), Prev: head.Hash,
		Actor: Clean(a.Actor, 0), Action: Clean(a.Action, 0), Subject: Clean(a.Subject, 0), Detail: Clean(a.Detail, 0),
	}
	r.Hash = r.Sum()
	return r
}

// Head is the head of a log that ends with r.
func (r AuditRow) Head() AuditHead { return AuditHead{r.Seq, r.Hash} }

// Sum is the hash that the row must have: SHA-256, in hex, over a tag, Prev,
// Seq and At (microseconds since 1970), each text with its length before it,
// so that no two different rows have the same bytes.
func (r AuditRow) Sum() string {
	h := sha256.New()
	var n [8]byte
	number := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	text := func(s string) {
		number(int64(len(s)))
		h.Write([]byte(s))
	}
	text("ballast audit 1")
	text(r.Prev)
	number(r.Seq)
	number(r.At.UnixMicro())
	text(r.Actor)
	text(r.Action)
	text(r.Subject)
	text(r.Detail)
	return hex.EncodeToString(h.Sum(nil))
}

// ChainCheck checks an audit chain row by row. The zero ChainCheck starts at
// the beginning of a log.
type ChainCheck struct {
	anchors map[int64][]string // not passed yet; two of one row may disagree
	head    AuditHead
	started bool
}

// NewChainCheck is a check that also wants the chain to pass through anchors.
func NewChainCheck(anchors ...AuditHead) *ChainCheck {
	c := &ChainCheck{anchors: map[int64][]string{}, head: auditStart, started: true}
	for _, a := range anchors {
		c.anchors[a.Seq] = append(c.anchors[a.Seq], a.Hash)
	}
	return c
}

// Head is how far the check came: the last row that was right.
func (c *ChainCheck) Head() AuditHead { return c.head }

// Next takes the next row, in the order of Seq.
func (c *ChainCheck) Next(r AuditRow) error {
	if !c.started {
		c.head, c.started = auditStart, true
	}
	switch want := c.head.Seq + 1; {
	case r.Seq != want:
		return fmt.Errorf("%w: row %d is missing (row %d follows row %d)", ErrTampered, want, r.Seq, c.head.Seq)
	case r.Prev != c.head.Hash:
		return fmt.Errorf("%w: row %d does not follow the row before it", ErrTampered, r.Seq)
	case r.Hash != r.Sum():
		return fmt.Errorf("%w: row %d was altered", ErrTampered, r.Seq)
	}
	if hashes, ok := c.anchors[r.Seq]; ok {
		if slices.ContainsFunc(hashes, func(h string) bool { return h != r.Hash }) {
			return fmt.Errorf("%w: row %d is not the one that was anchored", ErrTampered, r.Seq)
		}
		delete(c.anchors, r.Seq)
	}
	c.head = r.Head()
	return nil
}

// End takes the head that the log claims and returns it when all is well.
func (c *ChainCheck) End(claimed AuditHead) (AuditHead, error) {
	if !c.started {
		c.head, c.started = auditStart, true
	}
	if claimed != c.head {
		return c.head, fmt.Errorf("%w: the log ends at row %d and should end at row %d", ErrTampered, c.head.Seq, claimed.Seq)
	}
	for seq, hashes := range c.anchors {
		if seq != 0 || slices.ContainsFunc(hashes, func(h string) bool { return h != auditStart.Hash }) {
			return c.head, fmt.Errorf("%w: the anchored row %d is missing", ErrTampered, seq)
		}
	}
	return c.head, nil
}
