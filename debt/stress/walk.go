package stress

import "math"

// walk plays path i and writes its outcome into r's columns.
func (w *walker) walk(i int, r *Result) {
	w.pcg.Seed(mix(w.c.Seed), mix(uint64(i)^mix(w.c.Seed+1)))
	e := w.engine
	p, n := &e.p, &e.n

	lnP := math.Log(p.Start)
	lnHP0 := math.Log(n.Hashprice)
	rest := lnHP0 - lnP // log of hashprice over price, at today's difficulty and reward
	var (
		sd     = p.Vol / math.Sqrt(365)
		drift  = p.Drift/365 - sd*sd/2
		h      = p.Vol * p.Vol / 365     // variance of a day: garch
		hv     = p.Vol * p.Vol           // variance of a year: heston
		at     = 0                       // place in past returns: bootstrap
		lnFee  = n.FeeVol * n.FeeVol / 2 // log of fees over their median; today they are at their mean
		reward = &e.rewards[0]
		lnR    float64                    // log of the reward over today's
		lnD    float64                    // log of difficulty over today's
		fleet  float64                    // log of the machines that exist, over today's
		lnRun0 = e.runs(lnHP0)            // share that wants to run today
		lnRun  = lnRun0                   // share that runs
		lnPace = math.Log(n.Pace)         // hashrate over difficulty, today
		blocks = n.Blocks                 // of this epoch
		days   = n.BlockDays              // of this epoch
		peak   float64                    // of lnD
		worst  float64                    // retarget, log
		fall   float64                    // drawdown, log
		keep   = math.Exp(-1 / n.Lag)     // of the gap to what wants to run
		feeAR  = math.Exp(-1 / n.FeeDays) // of yesterday's fees
		feeSD  = n.FeeVol * math.Sqrt(1-feeAR*feeAR)
		corr2  = math.Sqrt(1 - n.FeeCorr*n.FeeCorr)
		feeMid = -n.FeeVol * n.FeeVol / 2 // so that the mean of exp is 1
		jump   = p.JumpRate / 365
		comp   = jump * (math.Exp(p.JumpMean+p.JumpVol*p.JumpVol/2) - 1) // what jumps add to the drift
		powAR  = math.Exp(-1 / w.f.Power.Days)
		powSD  = w.f.Power.Vol * math.Sqrt(1-powAR*powAR)
		powMid = -w.f.Power.Vol * w.f.Power.Vol / 2 // so that the mean of exp is 1
		pow2   = math.Sqrt(1 - w.f.Power.Corr*w.f.Power.Corr)
		lnPow  = -powMid // today's price is the mean
		keepOn = math.Exp(-1 / n.LagOn)
		buys   = 1 - math.Exp(-1/n.ResoldDays)
		resold float64 // share of the fleet that runs with a new owner
		mark   int
		left   int // days left of a block of past returns
		hcorr2 = math.Sqrt(1 - p.Corr*p.Corr)
	)
	f := newBooks(w)
	// The mean length of a block is 1/q: lengths are drawn from the geometric
	// distribution, one number a block instead of one a day.
	logQ := math.Log1p(-1 / p.Block)
	lnHP := lnHP0
	for d := range e.c.Days {
		// The price.
		z := 0.0
		switch p.Kind {
		case GBM:
			z = w.rng.NormFloat64()
			lnP += drift + sd*z
		case GARCH:
			z = w.rng.NormFloat64()
			x := math.Sqrt(h) * z
			lnP += p.Drift/365 - comp - h/2 + x
			h = e.omega + p.Alpha*x*x + p.Beta*h
			if jump > 0 && w.rng.Float64() < jump {
				lnP += p.JumpMean + p.JumpVol*w.rng.NormFloat64()
			}
		case Heston:
			z = w.rng.NormFloat64()
			v := max(hv, 0) // full truncation
			s := math.Sqrt(v / 365)
			lnP += p.Drift/365 - v/730 + s*z
			hv += p.Kappa*(p.Vol*p.Vol-v)/365 + p.VolOfVol*s*(p.Corr*z+hcorr2*w.rng.NormFloat64())
		case Bootstrap:
			if left == 0 {
				at = w.rng.IntN(len(p.Returns))
				left = 1
				if logQ < 0 {
					left += int(math.Log(1-w.rng.Float64()) / logQ)
				}
			}
			left--
			x := p.Returns[at]
			lnP += x
			if sd > 0 {
				z = (x - p.Drift/365) / sd
			}
			if at++; at == len(p.Returns) {
				at = 0
			}
		}
		// Fees and reward.
		if n.Halving > 0 && float64(d) < n.Halving && float64(d+1) >= n.Halving {
			reward = &e.rewards[1]
		}
		if n.FeeVol > 0 {
			lnFee = feeAR*lnFee + feeSD*(n.FeeCorr*z+corr2*w.rng.NormFloat64())
			lnR = between(reward, (lnFee+feeMid-e.feeLo)/e.feeStep)
		} else {
			lnR = reward[0] // all entries are alike
		}
		// Hashrate: machines are bought and sold over months, switched over
		// days.
		lnHP = rest + lnP + lnR - lnD
		fleet += (n.Growth + n.Response*(lnHP-lnHP0)) / 365
		want := e.runs(lnHP)
		if n.Resold > 0 {
			off := 1 - exp(want)
			resold += (n.Resold*off - resold) * buys
			want = math.Log(1 - off + resold)
		}
		if want < lnRun {
			lnRun = want + (lnRun-want)*keep
		} else {
			lnRun = want + (lnRun-want)*keepOn
		}
		lnH := lnPace + fleet + lnRun - lnRun0
		if n.Noise > 0 {
			lnH += n.Noise * w.rng.NormFloat64()
		}
		// Blocks, and the retarget in the middle of a day.
		rate := 144 * exp(lnH-lnD)
		if blocks+rate < 2016 {
			blocks += rate
			days++
		} else {
			part := (2016 - blocks) / rate
			// 2015 intervals against two weeks.
			span := (days + part) * 2015 / 2016
			step := math.Log(14 / span)
			step = min(max(step, -math.Ln2*2), math.Ln2*2)
			lnD += step
			worst = min(worst, step)
			peak = max(peak, lnD)
			fall = min(fall, lnD-peak)
			days = 1 - part
			blocks = min(days*144*math.Exp(lnH-lnD), 2015)
		}
		// Power.
		power := 1.0
		if w.f.Power.Vol > 0 {
			lnPow = powAR*lnPow + powSD*(w.f.Power.Corr*z+pow2*w.rng.NormFloat64())
			power = exp(lnPow + powMid)
		}
		// The firm.
		if f.dead < 0 {
			f.day(d, exp(lnP), exp(lnHP), power)
			if f.dead == d {
				f.recover(exp(lnP), lnHP-lnHP0, lnRun0-lnRun)
			}
		}
		if mark < len(e.c.Marks) && d+1 == e.c.Marks[mark] {
			k := mark*e.c.Paths + i
			r.marks[k] = f.ratio(d, lnHP-lnHP0, lnRun0-lnRun)
			r.paid[k] = exp(lnHP)
			r.liquid[k] = 0
			if f.dead < 0 {
				r.liquid[k] = f.cash + f.coins*exp(lnP)
			}
			mark++
		}
	}
	f.close(i, r, lnHP-lnHP0, lnRun0-lnRun)
	r.Price[i] = math.Exp(lnP)
	r.Hashprice[i] = math.Exp(lnHP)
	r.Retarget[i] = math.Expm1(worst)
	r.Drawdown[i] = math.Expm1(fall)
}

// books are the firm's on one path.
type books struct {
	w       *walker
	cash    float64
	coins   float64
	dead    int // day of default, -1: none
	owed    float64
	calls   int
	sold    float64 // coins that lenders sold
	minimum float64 // lowest liquidity
	thin    int     // first day of distress, -1: none
	back    float64 // share of what was owed that lenders get back after a default
}

func newBooks(w *walker) books {
	f := &w.f
	for i, l := range f.Loans {
		w.loans[i] = loanState{balance: l.Balance, coins: l.Coins}
	}
	return books{w: w, cash: f.Cash, coins: f.Coins, dead: -1, thin: -1, back: 1, minimum: math.Inf(1)}
}

func (b *books) day(d int, price, hp, power float64) {
	f := &b.w.f
	out := f.Fixed - f.Other
	var mined, burns float64
	for i := range f.Groups {
		g := &f.Groups[i]
		// A machine whose hashprice is fixed forward still stands still when
		// power costs more than the market pays: the forward is settled in
		// cash.
		cost := g.Hashcost * power
		if hp > cost {
			mined += g.PH * hp
			out += g.PH * cost
		}
		burns += g.PH * g.Hashcost
	}
	// Power that is bought ahead is worth its price of today, used or not.
	out -= f.PowerForward * burns * (power - f.PowerFixing)
	out -= f.Forward * b.w.ph * (f.Fixing - hp)
	if d < len(f.Due) {
		out += f.Due[d]
	}
	b.cash += mined*f.Sell - out
	b.coins += mined * (1 - f.Sell) / price
	if f.Cover > 0 {
		if need := min(f.Cover*out-mined*f.Sell, b.coins*price); need > 0 {
			b.cash += need
			b.coins = max(0, b.coins-need/price)
		}
	}
	if len(f.Loans) > 0 {
		b.lend(d, price)
	}
	if f.Borrow != nil && b.cash < f.Floor && b.coins > 0 {
		b.draw(price)
	}
	if b.cash < f.Floor && b.coins > 0 {
		if need := (f.Floor - b.cash) / price; need <= b.coins {
			b.coins -= need
			b.cash = f.Floor // exactly: a rounding error is no default
		} else {
			b.cash += b.coins * price
			b.coins = 0
		}
	}
	liquid := b.cash + b.coins*price
	b.minimum = min(b.minimum, liquid)
	if b.thin < 0 && (liquid < f.Thin || b.cash < 0) {
		b.thin = d
	}
	if b.cash < 0 {
		b.dead = d
		b.owed = b.owes(d)
	}
}

// draw borrows against free coins what cash is short of its floor.
func (b *books) draw(price float64) {
	f := &b.w.f
	s := &b.w.loans[len(f.Loans)-1] // where newEngine put the line
	line := f.Borrow
	amount := min(f.Floor-b.cash, line.Most-s.balance, b.coins*price*line.Initial)
	if amount <= 0 {
		return
	}
	pledge := min(amount/(line.Initial*price), b.coins)
	s.balance, s.coins = s.balance+amount, s.coins+pledge
	b.cash, b.coins = b.cash+amount, b.coins-pledge
}

// rigs is what the firm's machines are worth: moved is the log of hashprice over
// today's, off that of the network's machines that run today over then.
func (b *books) rigs(moved, off float64) float64 {
	f := &b.w.f
	return b.w.ph * f.RigRate * exp(f.RigBeta*moved-f.RigImpact*max(0, off))
}

// recover is what lenders get of what is owed on the day of a default: machines
// in a forced sale, and pledged coins.
func (b *books) recover(price, moved, off float64) {
	if b.owed <= 0 {
		return
	}
	got := b.rigs(moved, off) * (1 - b.w.f.Haircut)
	for i := range b.w.f.Loans {
		got += b.w.loans[i].coins * price
	}
	b.back = min(1, got/b.owed)
}

// lend moves the coin loans: interest, calls, sales, repayment.
func (b *books) lend(d int, price float64) {
	f := &b.w.f
	for i := range f.Loans {
		l, s := &f.Loans[i], &b.w.loans[i]
		if s.balance <= 0 {
			if s.coins > 0 { // all paid: the lender gives back what is pledged
				b.coins += s.coins
				s.coins = 0
			}
			continue
		}
		b.cash -= s.balance * l.Rate / 365
		if d == l.Day {
			b.cash -= s.balance
			b.coins += s.coins
			s.balance, s.coins = 0, 0
			continue
		}
		value := s.coins * price
		ltv := math.Inf(1)
		if value > 0 {
			ltv = s.balance / value
		}
		if ltv < l.Call {
			s.called = 0
			continue
		}
		if s.called == 0 {
			b.calls++
		}
		s.called++
		// Free coins first, then cash over the floor.
		post := min(b.coins, s.balance/(l.Initial*price)-s.coins)
		b.coins -= post
		s.coins += post
		pay := min(max(0, b.cash-f.Floor), max(0, s.balance-l.Initial*s.coins*price))
		b.cash -= pay
		s.balance -= pay
		if s.balance < l.Call*s.coins*price {
			s.called = 0
			continue
		}
		if ltv >= l.Liquidate || s.called > l.Cure {
			sell := s.coins
			if l.Initial < 1 {
				sell = min(s.coins, (s.balance-l.Initial*s.coins*price)/(price*(1-l.Initial)))
			}
			sell = max(0, sell)
			s.coins -= sell
			s.balance = max(0, s.balance-sell*price)
			b.sold += sell
			s.called = 0
		}
	}
}

func (b *books) owes(d int) float64 {
	var sum float64
	if d < len(b.w.f.Owed) {
		sum = b.w.f.Owed[d]
	}
	for i := range b.w.f.Loans {
		sum += b.w.loans[i].balance
	}
	return sum
}

// ratio is what is owed over what the machines are worth at the end of day d. A
// firm in default owes what it owed on that day.
func (b *books) ratio(d int, moved, off float64) float64 {
	owed := b.owed
	if b.dead < 0 {
		owed = b.owes(d)
	}
	switch worth := b.rigs(moved, off); {
	case worth > 0:
		return owed / worth
	case owed == 0:
		return 0
	}
	return math.Inf(1)
}

// close writes the outcome.
func (b *books) close(i int, r *Result, moved, off float64) {
	r.Owed[i] = b.owed
	if b.dead < 0 {
		r.Owed[i] = b.owes(b.w.c.Days - 1)
	}
	r.Ratio[i] = b.ratio(b.w.c.Days-1, moved, off)
	r.Default[i] = int32(b.dead)
	r.Distress[i] = int32(b.thin)
	r.Calls[i] = int32(b.calls)
	r.Sold[i] = b.sold
	r.Back[i] = b.back
	r.Cash[i] = b.cash
	r.Coins[i] = b.coins
	r.Lowest[i] = b.minimum
}
