package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"ballast/ledger"
)

func testTx(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	sentinel := errors.New("changed my mind")
	err := s.Tx(ctx, func(tx ledger.Tx) error {
		ok(t, tx.SetSetting(ctx, "a", "1", ledger.By("alice")))
		if v := must(tx.Setting(ctx, "a"))(t); v != "1" {
			t.Errorf("within the Tx: %q", v)
		}
		if rows := must(tx.AuditRows(ctx, ledger.AuditFilter{}))(t); len(rows) != 1 {
			t.Errorf("within the Tx: %d audit rows", len(rows))
		}
		must(tx.VerifyAudit(ctx))(t)
		return sentinel
	})
	if !errors.Is(err, sentinel) {
		t.Errorf("error %v", err)
	}
	if _, err := s.Setting(ctx, "a"); !errors.Is(err, ledger.ErrNotFound) {
		t.Error("a failed Tx left something")
	}
	if head := must(s.VerifyAudit(ctx))(t); head.Seq != 0 {
		t.Errorf("a failed Tx left %d audit rows", head.Seq)
	}

	// A change that failed within a Tx spoils it, even when its error is dropped.
	err = s.Tx(ctx, func(tx ledger.Tx) error {
		ok(t, tx.SetSetting(ctx, "a", "1", ledger.By("alice")))
		_ = tx.DeleteSetting(ctx, "nope", ledger.By("alice"))
		return nil
	})
	if !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a spoiled Tx: %v", err)
	}
	if _, err := s.Setting(ctx, "a"); !errors.Is(err, ledger.ErrNotFound) {
		t.Error("a spoiled Tx left something")
	}

	// A read that finds nothing does not.
	ok(t, s.Tx(ctx, func(tx ledger.Tx) error {
		if _, err := tx.Setting(ctx, "nope"); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a setting that is not there: %v", err)
		}
		ok(t, tx.SetSetting(ctx, "a", "1", ledger.By("alice")))
		return tx.SetSetting(ctx, "b", "2", ledger.By("alice"))
	}))
	if rows := must(s.AuditRows(ctx, ledger.AuditFilter{}))(t); len(rows) != 2 || rows[0].Subject != "setting/b" {
		t.Errorf("audit rows %+v", rows)
	}

	// A panic leaves nothing and lets go of everything.
	func() {
		defer func() { _ = recover() }()
		_ = s.Tx(ctx, func(tx ledger.Tx) error {
			ok(t, tx.SetSetting(ctx, "c", "3", ledger.By("alice")))
			panic("at the wrong moment")
		})
	}()
	if _, err := s.Setting(ctx, "c"); !errors.Is(err, ledger.ErrNotFound) {
		t.Error("a Tx that panicked left something")
	}
	ok(t, s.SetSetting(ctx, "d", "4", ledger.By("alice")))

	done, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.SetSetting(done, "e", "5", ledger.By("alice")); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
	ok(t, s.Ping(ctx))
}

// Read, add one, write: transactions that lose the race are run again, or wait.
// PostgreSQL reads without locking, so the setting is written first.
func testTxAtOnce(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	ok(t, s.SetSetting(ctx, "n", "0", ledger.By("alice")))
	const writers, each = 4, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range each {
				err := s.Tx(ctx, func(tx ledger.Tx) error {
					if err := tx.SetSetting(ctx, "lock", fmt.Sprint(w), ledger.By("alice")); err != nil {
						return err
					}
					v, err := tx.Setting(ctx, "n")
					if err != nil {
						return err
					}
					n, err := strconv.Atoi(v)
					if err != nil {
						return err
					}
					return tx.SetSetting(ctx, "n", strconv.Itoa(n+1), ledger.By("alice"))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if v := must(s.Setting(ctx, "n"))(t); v != strconv.Itoa(writers*each) {
		t.Errorf("counted to %s, want %d", v, writers*each)
	}
	must(s.VerifyAudit(ctx))(t)

	// Two that change two things in opposite order get in each other's way, and
	// both get through.
	for _, order := range [][2]string{{"x", "y"}, {"y", "x"}} {
		wg.Go(func() {
			for range 10 {
				err := s.Tx(ctx, func(tx ledger.Tx) error {
					if err := tx.SetSetting(ctx, order[0], "1", ledger.By("alice")); err != nil {
						return err
					}
					return tx.SetSetting(ctx, order[1], "1", ledger.By("alice"))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
