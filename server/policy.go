package server

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/miner"
)

// Right is one kind of thing that may be done. Every operation takes exactly
// one ([policy]); every role has some ([rights]). These two tables are the whole
// policy: who may do what is decided here and nowhere else.
type Right string

// The rights. Three of them need no role.
const (
	Anybody  Right = "anybody"   // before sign-in: sign-in itself, set-up
	SignedIn Right = "signed-in" // whoever is known, person or program
	InPerson Right = "person"    // one's own account: somebody in a browser, never a key

	Look       Right = "look"       // machines, history, alarms, reports
	Repair     Right = "repair"     // what a technician does at the rack: locate, restart, place, note, acknowledge
	Command    Right = "command"    // change what machines draw: sleep, power, profile, pools; silence alarms
	Configure  Right = "configure"  // sites, layouts, ranges, rules, firmware passwords
	Money      Right = "money"      // debt, contracts, statements
	Administer Right = "administer" // people, keys, audit, Ballast itself
	Portal     Right = "portal"     // a tenant's own contracts
)

// rights is what each role may do at the sites where it is granted.
var rights = map[ledger.Role][]Right{
	ledger.Viewer:     {Look},
	ledger.Technician: {Look, Repair},
	ledger.Operator:   {Look, Repair, Command},
	ledger.Engineer:   {Look, Repair, Command, Configure},
	ledger.Finance:    {Look, Money},
	ledger.Admin:      {Look, Repair, Command, Configure, Money, Administer},
	ledger.Tenant:     {Portal},
}

// meanings says what each right is, for the people who grant roles.
var meanings = map[Right]string{
	Look:       "see machines, history, alarms and reports",
	Repair:     "work at the racks: locate, restart, place and note machines, acknowledge alarms",
	Command:    "change what machines draw: sleep, power, profile, pools; silence alarms",
	Configure:  "change sites, layouts, address ranges, rules and firmware passwords",
	Money:      "see and change debt, contracts and statements",
	Administer: "people, API keys, the audit log, and Ballast itself",
	Portal:     "see what a tenant has rented and got",
}

// policy is the right that each operation takes, by its id. An operation that
// is not here does not register, and an entry without an operation fails a test.
var policy = map[string]Right{
	"set-up":   Anybody,
	"sign-in":  Anybody,
	"sign-out": Anybody,
	"whoami":   SignedIn,
	"roles":    SignedIn,

	"sign-in-methods":         Anybody,
	"passkey-sign-in-options": Anybody,
	"passkey-sign-in":         Anybody,
	"oidc-begin":              Anybody,
	"oidc-return":             Anybody,
	"setup-link":              Anybody,

	"account":         InPerson,
	"edit-account":    InPerson,
	"change-password": InPerson,
	"sessions":        InPerson,
	"end-session":     InPerson,
	"end-sessions":    InPerson,
	"passkeys":        InPerson,
	"passkey-options": InPerson,
	"add-passkey":     InPerson,
	"name-passkey":    InPerson,
	"remove-passkey":  InPerson,
	"link-identity":   InPerson,
	"unlink-identity": InPerson,

	"keys":       SignedIn, // one's own; Administer for those of others
	"add-key":    SignedIn,
	"revoke-key": SignedIn,

	"people":              Administer,
	"person":              Administer,
	"edit-person":         Administer,
	"reset-person":        Administer,
	"end-person-sessions": Administer,
	"invites":             Administer,
	"invite":              Administer,
	"revoke-invite":       Administer,

	"audit":         Administer,
	"audit-export":  Administer,
	"audit-anchor":  Administer,
	"audit-check":   Administer,
	"audit-state":   Administer,
	"audit-uncheck": Administer,

	"sites":          Look,
	"site":           Look,
	"plant":          Look,
	"live":           Look,
	"activity":       Look,
	"power":          Look,
	"scan-state":     Look,
	"machines":       Look,
	"machine":        Look,
	"machine-events": Look,
	"siblings":       Look,
	"map":            Look,
	"map-state":      Look,
	"groups":         Look,
	"tags":           Look,
	"search":         Look,
	"saved-filters":  Look,
	"save-filter":    Look, // and Repair, to save it for everybody
	"delete-filter":  Look, // one's own; and Repair, one of everybody
	"metrics":        Look,
	"history":        Look,
	"storage":        Look,
	"ages":           Look,
	"export":         Look,
	"commands":       Look,
	"command-events": Look,
	"batches":        Look,
	"batch":          Look,

	"reports":      Look,
	"report-daily": Look,
	"report-file":  Look,

	// What electricity costs.
	"price-now":        Look,
	"price-next":       Look,
	"price-series":     Look,
	"price-history":    Look,
	"price-revisions":  Look,
	"price-risk":       Look,
	"price-feeds":      Look,
	"price-scoreboard": Look,
	"price-models":     Look,
	"contracts":        Money,
	"contract":         Money,
	"add-contract":     Money,
	"save-contract":    Money,
	"remove-contract":  Money,
	"check-contract":   Money,
	"statements":       Money,
	"statement":        Money,
	"statement-file":   Money,
	"issue-statement":  Money,

	"meter-data":          Money,
	"import-meter-data":   Money,
	"withdraw-meter-data": Money,
	"end-meter":           Money,
	"awards":              Money,
	"import-awards":       Money,
	"enter-awards":        Money,
	"withdraw-awards":     Money,

	"report-schedules":       Configure, // they hold people's addresses
	"add-report-schedule":    Configure,
	"edit-report-schedule":   Configure,
	"delete-report-schedule": Configure,
	"send-report":            Configure,
	"report-sends":           Configure,

	"system":              Administer,
	"settings":            Administer,
	"support-bundle":      Administer,
	"alarms":              Look,
	"alarm":               Look,
	"alarm-rules":         Look,
	"silences":            Look,
	"maintenance-windows": Look,
	"escalations":         Look,

	"acknowledge-alarm": Repair,
	"silence-alarm":     Command,
	"add-silence":       Command,
	"end-silence":       Command,

	"add-alarm-rule":            Configure,
	"edit-alarm-rule":           Configure,
	"delete-alarm-rule":         Configure,
	"preview-alarm-rule":        Configure,
	"add-maintenance-window":    Configure,
	"edit-maintenance-window":   Configure,
	"delete-maintenance-window": Configure,
	"add-escalation":            Configure,
	"edit-escalation":           Configure,
	"delete-escalation":         Configure,
	"receivers":                 Configure,
	"add-receiver":              Configure,
	"edit-receiver":             Configure,
	"delete-receiver":           Configure,
	"test-receiver":             Configure,

	"edit-machine":      Repair,
	"edit-machines":     Repair, // and Configure, to retire
	"add-note":          Repair,
	"delete-note":       Repair,
	"cancel-batch":      Repair, // and Command, as for the command itself
	"command":           Repair, // and Command, unless the wish is one of a technician's: see commandRight
	"scan":              Configure,
	"site-record":       Look,
	"export-layout":     Look,
	"placement":         Look,
	"scans":             Look,
	"scan-report":       Look,
	"scan-found":        Look,
	"pools":             Look,
	"pool-profiles":     Look,
	"machine-passwords": Configure,

	"place-machine":      Repair,
	"apply-pool-profile": Command,

	"add-site":                Configure,
	"save-site":               Configure,
	"remove-site":             Configure,
	"check-layout":            Configure,
	"import-layout":           Configure,
	"start-scan":              Configure,
	"cancel-scan":             Configure,
	"networks":                Configure,
	"add-machine-password":    Configure,
	"change-machine-password": Configure,
	"delete-machine-password": Configure,
	"test-machine-password":   Configure,
	"add-pool-profile":        Configure,
	"change-pool-profile":     Configure,
	"delete-pool-profile":     Configure,

	// The market.
	"market":           Look,
	"market-history":   Look,
	"retargets":        Look,
	"market-entries":   Look,
	"rig-prices":       Look,
	"enter-market":     Money,
	"withdraw-market":  Money,
	"add-rig-prices":   Money,
	"delete-rig-price": Money,
	"debt-position":    Money,
	"debt-covenants":   Money,
	"debt-weeks":       Money,
	"debt-hashcost":    Money,
	"facilities":       Money,
	"facility":         Money,
	"save-facility":    Money,
	"remove-facility":  Money,
	"debt-terms":       Money,
	"save-debt-terms":  Money,
	"drop-debt-entry":  Money,
	"import-debt":      Money,
	"debt-template":    Money,
	"board-pack":       Money,

	// The future.
	"outlook-base":       Money,
	"set-levers":         Money,
	"network-odds":       Money,
	"claims":             Money,
	"play-scenario":      Money,
	"runs":               Money,
	"run":                Money,
	"cancel-run":         Money,
	"scenarios":          Money,
	"save-scenario":      Money,
	"delete-scenario":    Money,
	"peers":              Money,
	"peer-reports":       Money,
	"add-peer-reports":   Money,
	"delete-peer-report": Money,
	"weigh-hardware":     Money,
}

// AllScopes are the scopes of a key that may do all that its owner may.
func AllScopes() []string {
	out := []string{}
	for _, r := range []Right{Look, Repair, Command, Configure, Money, Administer, Portal} {
		out = append(out, string(r))
	}
	return out
}

// commandRight is the right that a wish takes: a technician at the rack may make
// a machine blink and start it anew, and nothing that changes what it draws.
func commandRight(k miner.Kind) Right {
	switch k {
	case miner.SetLocate, miner.SetReboot, miner.SetRestart:
		return Repair
	}
	return Command
}

// Roles are all roles with what each may do, for the people who grant them.
func Roles() map[ledger.Role][]Right { return maps.Clone(rights) }

// Scope is the sites at which a principal has a right.
type Scope struct {
	All   bool
	Sites []string // sorted; not used when All
}

// Covers tells whether the scope has site.
func (s Scope) Covers(site string) bool {
	return s.All || slices.Contains(s.Sites, site)
}

// None tells whether the scope has no site at all.
func (s Scope) None() bool { return !s.All && len(s.Sites) == 0 }

// Key tells equal scopes from different ones.
func (s Scope) Key() string {
	if s.All {
		return "*"
	}
	return fmt.Sprintf("%q", s.Sites)
}

// Scope is where p has a right. A program's key may do at most what its scopes
// name, and never more than its owner.
func (p Principal) Scope(right Right) Scope {
	var s Scope
	if !p.User.Disabled.IsZero() || p.Key != nil && !slices.Contains(p.Key.Scopes, string(right)) {
		return s
	}
	for _, g := range p.User.Grants {
		switch {
		case !slices.Contains(rights[g.Role], right):
		case g.Site == "":
			return Scope{All: true}
		case !slices.Contains(s.Sites, g.Site):
			s.Sites = append(s.Sites, g.Site)
		}
	}
	slices.Sort(s.Sites)
	return s
}

// May tells whether p has a right at a site.
func (p Principal) May(right Right, site string) bool { return p.Scope(right).Covers(site) }

// Rights are all that p has at some site, in order of name.
func (p Principal) Rights() []Right {
	out := []Right{}
	for _, r := range []Right{Administer, Command, Configure, Look, Money, Portal, Repair} {
		if !p.Scope(r).None() {
			out = append(out, r)
		}
	}
	return out
}

type scopeKey struct{}

// scope is where the operation under way may act: its right's sites for the one
// who asks. Handlers leave out, and treat as not there, what lies elsewhere.
func scope(ctx context.Context) Scope {
	s, _ := ctx.Value(scopeKey{}).(Scope)
	return s
}

// op registers an operation under the right that the policy gives it.
func op[I, O any](s *Server, o huma.Operation, do func(context.Context, *I) (*O, error)) {
	right := s.govern(&o)
	// The library does not look into an embedded type that is not exported: its
	// parameters would be silently dead.
	for f := range reflect.TypeFor[I]().Fields() {
		if f.Anonymous && !f.IsExported() {
			panic("operation " + o.OperationID + " embeds " + f.Name + ", whose parameters would not be read: export it")
		}
	}
	// Before the input is looked at: a stranger learns nothing from what we say of
	// their parameters.
	o.Middlewares = append(o.Middlewares, func(ctx huma.Context, next func(huma.Context)) {
		allowed, err := s.allow(ctx.Context(), right)
		if err != nil {
			status := http.StatusForbidden
			if se, ok := errors.AsType[huma.StatusError](err); ok {
				status = se.GetStatus()
			}
			_ = huma.WriteErr(s.api, ctx, status, err.Error())
			return
		}
		next(huma.WithContext(ctx, allowed))
	})
	huma.Register(s.api, o, do)
}

// govern writes into an operation's description which right it takes.
func (s *Server) govern(o *huma.Operation) Right {
	right, ok := policy[o.OperationID]
	if !ok {
		panic("operation " + o.OperationID + " has no line in the policy") // a bug, caught by every test that builds a server
	}
	if right != Anybody {
		o.Security = []map[string][]string{{"session": {}}, {"key": {}}}
		o.Errors = append(o.Errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	if o.Extensions == nil {
		o.Extensions = map[string]any{}
	}
	o.Extensions["x-right"] = string(right)
	return right
}

// allow says whether the one who asks has a right anywhere, and puts where into
// the context.
func (s *Server) allow(ctx context.Context, right Right) (context.Context, error) {
	if right == Anybody {
		return ctx, nil
	}
	p, ok := principal(ctx)
	if !ok {
		return nil, huma.Error401Unauthorized("sign in first: open the link that `ballast run` printed, or `ballast link` prints a new one")
	}
	if right == InPerson && p.Key != nil {
		return nil, huma.Error403Forbidden("an API key has no account of its own: this takes a person who is signed in")
	}
	if right == SignedIn || right == InPerson {
		return ctx, nil
	}
	sites := p.Scope(right)
	if sites.None() {
		return nil, huma.Error403Forbidden(fmt.Sprintf("%s may not do this: it takes the right to %s, which %s", p.Name(), right, whoHas(right)))
	}
	return context.WithValue(ctx, scopeKey{}, sites), nil
}

// whoHas says which roles have a right, for those who lack it.
func whoHas(right Right) string {
	var names []string
	for _, r := range ledger.Roles() {
		if slices.Contains(rights[r], right) {
			names = append(names, string(r))
		}
	}
	switch n := len(names); n {
	case 0:
		return "no role has"
	case 1:
		return "the role " + names[0] + " has"
	default:
		var out strings.Builder
		out.WriteString("the roles ")
		for i, name := range names {
			switch i {
			case 0:
				out.WriteString(name)
			case n - 1:
				out.WriteString(" and " + name)
			default:
				out.WriteString(", " + name)
			}
		}
		return out.String() + " have"
	}
}
